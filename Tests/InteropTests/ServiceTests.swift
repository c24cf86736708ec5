import RPC
import RPCCore
import Testing

@testable import Interop

private typealias Methods = Grpc_Testing_TestServiceMethods
private typealias Client = Grpc_Testing_TestServiceClient

/// What the published cases do not ask of the server.
struct ServiceTests {
    private func call(_ body: @escaping (any RPCChannel) async throws -> Void) async throws {
        try await InteropFixture.with([InteropService()]) { run in try await run.withChannel(body) }
    }

    @Test func anUnknownPayloadIsRefused() async throws {
        try await call { channel in
            let refused = await #expect(throws: Status.self) {
                try await Client(channel).unaryCall(Grpc_Testing_SimpleRequest(responseType: .unrecognized(7)))
            }
            #expect(refused?.code == .invalidArgument && refused?.message == "payload type 7 is not supported")
        }
    }

    @Test(arguments: [(Int32(-1), Status.Code.invalidArgument), (.max, .resourceExhausted)])
    func anImpossibleSizeIsRefused(_ size: Int32, _ code: Status.Code) async throws {
        try await call { channel in
            let single = await #expect(throws: Status.self) {
                try await Client(channel).unaryCall(Grpc_Testing_SimpleRequest(responseSize: size))
            }
            #expect(single?.code == code)
            let request = Grpc_Testing_StreamingOutputCallRequest(responseParameters: [.init(size: size)])
            let streamed = await #expect(throws: Status.self) {
                try await Client(channel).streamingOutputCall(request) { for try await _ in $0 {} }
            }
            #expect(streamed?.code == code)
        }
    }

    @Test func aMessageThatShouldNotBeCompressedIsRefused() async throws {
        try await call { channel in
            let expected = Grpc_Testing_BoolValue(value: false)
            let request = Grpc_Testing_SimpleRequest(payload: .zeros(100), expectCompressed: expected)
            let refused = await #expect(throws: Status.self) {
                try await Client(channel).unaryCall(request, options: CallOptions(encoding: .gzip))
            }
            #expect(refused?.code == .invalidArgument)
        }
    }

    @Test func theServerHasAnIdentity() async throws {
        try await call { channel in
            let request = Grpc_Testing_SimpleRequest(fillServerID: true)
            let first = try await Client(channel).unaryCall(request).serverID
            let second = try await Client(channel).unaryCall(request).serverID
            #expect(!first.isEmpty && first == second)
            let other = try await Client(channel).unaryCall(Grpc_Testing_SimpleRequest()).serverID
            #expect(other.isEmpty)
        }
    }

    @Test func proxiesMayKeepACacheableResponse() async throws {
        try await call { channel in
            var bodies: Set<[UInt8]> = []
            for _ in 0..<2 {
                try await channel.withCall(Methods.cacheableUnaryCall.path) { call in
                    try await call.send([])
                    await call.finishSending()
                    #expect(try await call.initialMetadata()["cache-control"] == "max-age=60, public")
                    let response = try Methods.cacheableUnaryCall.response.decode(
                        try #require(try await call.receive()))
                    bodies.insert(response.payload?.body ?? [])
                }
            }
            #expect(bodies.count == 2 && bodies.allSatisfy { Int(String(decoding: $0, as: UTF8.self)) != nil })
        }
    }

    @Test func halfDuplexAnswersAfterTheLastRequest() async throws {
        try await call { channel in
            let sizes = try await Client(channel).halfDuplexCall { requests, responses in
                try await requests.write(.asking(for: 3, with: 10))
                try await requests.write(.asking(for: 5, with: 0))
                await requests.finish()
                var sizes: [Int] = []
                for try await response in responses { sizes.append(response.payload?.body.count ?? -1) }
                return sizes
            }
            #expect(sizes == [3, 5])
            let many = Grpc_Testing_StreamingOutputCallRequest(
                responseParameters: Array(repeating: .init(size: 0), count: InteropService.maximumBufferedResponses + 1)
            )
            let refused = await #expect(throws: Status.self) {
                try await Client(channel).halfDuplexCall { requests, responses in
                    try await requests.write(many)
                    for try await _ in responses {}
                }
            }
            #expect(refused?.code == .resourceExhausted)
        }
    }

    @Test func responsesKeepTheirPauses() async throws {
        try await call { channel in
            let pause = Grpc_Testing_ResponseParameters(size: 1, intervalUs: 20_000)
            let request = Grpc_Testing_StreamingOutputCallRequest(responseParameters: [pause, pause])
            let start = ContinuousClock.now
            try await Client(channel).streamingOutputCall(request) { for try await _ in $0 {} }
            #expect(start.duration(to: .now) >= .milliseconds(40))
        }
    }
}
