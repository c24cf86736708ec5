import RPC
import RPCCore
import Synchronization
import Testing

@testable import Interop

private typealias Methods = Grpc_Testing_TestServiceMethods

/// The cases find faults: against servers that do not do what they are asked.
struct FaultTests {
    /// Answers every call at once with OK, and with nothing where it can.
    private struct Idle: RPCService {
        func register(in registry: inout ServiceRegistry) {
            let unary = [
                Methods.emptyCall.path, Methods.unaryCall.path, Methods.unimplementedCall.path,
                Grpc_Testing_UnimplementedServiceMethods.unimplementedCall.path,
            ]
            for path in unary { registry.add(ServerMethod(path: path) { _, _ in [] }) }
            registry.addServerStreaming(Methods.streamingOutputCall) { _, _, _ in }
            registry.addClientStreaming(Methods.streamingInputCall) { _, _ in
                Grpc_Testing_StreamingInputCallResponse()
            }
            registry.addBidirectional(Methods.fullDuplexCall) { _, _, _ in }
        }
    }

    /// What each case says first.
    private static let complaints = [
        "large_unary": "size of the response's payload: expected 314159, came 0",
        "client_compressed_unary":
            "status of the probe, which claims to be compressed: expected INVALID_ARGUMENT, came OK",
        "server_compressed_unary": "whether the response is compressed: expected true, came false",
        "client_streaming": "aggregated_payload_size: expected 74922, came 0",
        "client_compressed_streaming":
            "status of the probe, which claims to be compressed: expected INVALID_ARGUMENT, came OK",
        "server_streaming": "number of responses: expected 4, came 0",
        "server_compressed_streaming": "response 1: expected a message, came the end of the call",
        "ping_pong": "response 1: expected a message, came the end of the call",
        "custom_metadata": "size of payload of UnaryCall: expected 314159, came 0",
        "status_code_and_message": "status of UnaryCall: expected UNKNOWN, came OK",
        "special_status_message": "status of UnaryCall: expected UNKNOWN, came OK",
        "unimplemented_method": "status of TestService/UnimplementedCall: expected UNIMPLEMENTED, came OK",
        "unimplemented_service": "status of UnimplementedService/UnimplementedCall: expected UNIMPLEMENTED, came OK",
        "cancel_after_first_response": "the first response: expected a message, came the end of the call",
        "rpc_soak": "calls that failed or took longer than 1.0 seconds: expected at most 0, came 10",
        "channel_soak": "calls that failed or took longer than 1.0 seconds: expected at most 0, came 10",
    ]

    /// Which an idle server passes; the time-out is a race there.
    private static let easy: Set = [
        "empty_unary", "empty_stream", "cancel_after_begin", "timeout_on_sleeping_server",
    ]

    @Test func everyCaseHasItsComplaint() {
        #expect(Set(Self.complaints.keys).union(Self.easy) == Set(InteropCase.all.map(\.name)))
    }

    @Test(arguments: complaints) func anIdleServerIsFound(_ name: String, _ complaint: String) async throws {
        let testCase = try #require(InteropCase.named(name))
        try await InteropFixture.with([Idle()]) { run in
            let mismatch = await #expect(throws: Mismatch.self) { try await testCase.run(run) }
            #expect(mismatch?.description == complaint)
        }
    }

    /// What a server without the service is as good for as any other; the time-out is a race here, too.
    private static let indifferent: Set = [
        "unimplemented_method", "unimplemented_service", "cancel_after_begin", "timeout_on_sleeping_server",
    ]

    @Test(arguments: InteropCase.all.map(\.name).filter { !indifferent.contains($0) })
    func aServerWithoutTheServiceIsFound(_ name: String) async throws {
        let testCase = try #require(InteropCase.named(name))
        try await InteropFixture.with([]) { run in
            await #expect(throws: Mismatch.self) { try await testCase.run(run) }
        }
    }

    // MARK: Soak

    /// Counts calls and fails every third.
    private final class Unsteady: RPCService {
        let count = Atomic(0)

        func register(in registry: inout ServiceRegistry) {
            registry.addUnary(Methods.unaryCall) { request, _ in
                guard self.count.add(1, ordering: .relaxed).newValue % 3 != 0 else {
                    throw Status(.unavailable, "third")
                }
                return Grpc_Testing_SimpleResponse(payload: .zeros(Int(request.responseSize)))
            }
        }
    }

    @Test(arguments: ["rpc_soak", "channel_soak"]) func aSoakCountsFailures(_ name: String) async throws {
        let testCase = try #require(InteropCase.named(name))
        let service = Unsteady()
        try await InteropFixture.with([service]) { run in
            var run = run
            run.soak.iterations = 9
            run.soak.workers = 2
            run.soak.requestBytes = 10
            run.soak.responseBytes = 20
            run.soak.acceptableLatency = .seconds(10)
            let lines = Mutex<[String]>([])
            run.report = { line in lines.withLock { $0.append(line) } }
            run.soak.maximumFailures = 3
            try await testCase.run(run)
            #expect(service.count.load(ordering: .relaxed) == 9)
            let said = lines.withLock { $0 }
            #expect(said.count { $0.contains("succeeded") } == 6 && said.count { $0.contains("third") } == 3)
            #expect(said.last?.hasPrefix("soak: 9 of 9 calls, 3 failed, ") == true)
            run.soak.maximumFailures = 2
            let mismatch = await #expect(throws: Mismatch.self) { try await testCase.run(run) }
            #expect(mismatch?.expected == "at most 2" && mismatch?.actual == "3")
        }
    }

    @Test func aSoakEndsWithItsTime() async throws {
        let testCase = try #require(InteropCase.named("rpc_soak"))
        try await InteropFixture.with([InteropService()]) { run in
            var run = run
            run.soak.iterations = 1_000_000
            run.soak.overallTimeout = .milliseconds(200)
            run.soak.maximumFailures = 1_000_000
            let mismatch = await #expect(throws: Mismatch.self) { try await testCase.run(run) }
            #expect(mismatch?.subject == "calls within 0.2 seconds" && mismatch?.expected == "1000000")
        }
    }
}
