import EventLoop
import Foundation
import Limits
import Protobuf
import RPC
import RPCCore
import Synchronization
import TestSupport
import Testing

@testable import RPCTool

/// What a call has shown. Any thread.
private final class Shown: Sendable {
    private let state = Mutex<(replies: [String], notes: [String])>(([], []))

    var output: CallRun.Output {
        CallRun.Output { text in
            self.state.withLock { $0.replies.append(text) }
        } note: { text in
            self.state.withLock { $0.notes.append(text) }
        }
    }
    var replies: [String] { state.withLock { $0.replies } }
    var notes: [String] { state.withLock { $0.notes } }
}

@Suite struct CallRunTests {
    /// Calls a method over a socket, its schema known by reflection, as the command does.
    private static func call(
        _ name: String, _ input: RequestSource.Input, steps: StepLog = StepLog(),
        _ change: (inout CallRun.Settings) -> Void = { _ in }
    ) async throws -> (shown: Shown, failure: ToolFailure?) {
        let shown = Shown()
        let failure: ToolFailure? = try await ShopFixture.run { shop in
            let connection = shop.connection(steps: steps)
            let outcome: Result<Void, any Error>
            do {
                let source = TimedSource(ReflectionSource(connection, target: connection.target), steps)
                let (method, schema) = try await source.method(name)
                var settings = CallRun.Settings()
                settings.format = MessageText(types: schema.types)
                settings.format.isCompact = true
                settings.timeout = .seconds(20)
                change(&settings)
                let requests = try RequestSource(input, settings.format, as: method.schema.input)
                var run = CallRun(
                    method, on: connection, settings, source: source, steps: steps, output: shown.output)
                outcome = .success(try await run.run(requests))
            } catch {
                outcome = .failure(error)
            }
            await connection.shutDown()
            switch outcome {
            case .success: return nil
            case .failure(let error): return try #require(error as? ToolFailure, "\(error)")
            }
        }
        return (shown, failure)
    }

    private static let found =
        #"{"name":"a","price":"100","state":"STATE_SOLD","shelf":"A","extra":{"@type":"type.googleapis.com/test.tool.Total","price":"1"}}"#

    @Test func aMethodThatTakesOneMessageIsCalledForEach() async throws {
        let (shown, failure) = try await Self.call("Find", .text(#"{"name":"a"} {"name":"a"}"#))
        #expect(failure == nil)
        #expect(shown.replies == [Self.found, Self.found] && shown.notes.isEmpty)
    }

    @Test func anEmptyInputIsOneEmptyMessage() async throws {
        let (shown, failure) = try await Self.call("List", .empty)
        #expect(failure == nil && shown.replies.isEmpty)
        let none = try await Self.call("Find", .text(" ")).failure
        #expect(none?.exitCode == 64)
    }

    @Test(arguments: [
        ("List", #"{"count":3}"#, 3), ("Sum", #"{"price":"5"}{"price":"6"}"#, 1), ("Sum", "", 1),
        ("Chat", #"{"name":"a"} {"name":"b"}"#, 2), ("Chat", "", 0),
    ])
    func streamsWork(_ name: String, _ requests: String, _ count: Int) async throws {
        let (shown, failure) = try await Self.call(name, .text(requests))
        #expect(failure == nil, "\(failure as Any)")
        #expect(shown.replies.count == count, "\(shown.replies)")
    }

    /// A reply is shown before the next request is written: neither side waits for the other's end.
    @Test func messagesGoAndComeAsTheyAre() async throws {
        let pipe = Pipe()
        let writer = pipe.fileHandleForWriting
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        try await ShopFixture.run { shop in
            let connection = shop.connection()
            let source = ReflectionSource(connection, target: connection.target)
            let (method, schema) = try await source.method("Chat")
            var settings = CallRun.Settings()
            settings.format = MessageText(types: schema.types)
            settings.format.isCompact = true
            settings.timeout = .seconds(20)
            let reader = InputReader(descriptor: pipe.fileHandleForReading.fileDescriptor, name: "the pipe")
            let requests = try RequestSource(.reader(reader), settings.format, as: method.schema.input)
            var run = CallRun(
                method, on: connection, settings, source: nil, steps: StepLog(),
                output: CallRun.Output {
                    continuation.yield($0)
                } note: {
                    continuation.yield($0)
                })
            let writing = Mutex(writer)
            async let asked: [String] = {
                var seen: [String] = []
                var iterator = lines.makeAsyncIterator()
                for name in ["one", "two", "three"] {
                    try writing.withLock { try $0.write(contentsOf: Data("{\"name\":\"\(name)\"}".utf8)) }
                    seen.append(await iterator.next() ?? "nothing")
                }
                try writing.withLock { try $0.close() }
                return seen
            }()
            do {
                try await run.run(requests)
            } catch {
                Issue.record(error)
                try writing.withLock { try $0.close() }
            }
            continuation.finish()
            let seen = try await asked
            #expect(seen.map { $0.prefix(13) } == [#"{"name":"one""#, #"{"name":"two""#, #"{"name":"thre"#])
            await connection.shutDown()
        }
    }

    @Test func aMistakeInALaterMessageEndsTheCall() async throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("{\"name\":\"a\"}\n\n{\"nam\":\n1}".utf8))
        try pipe.fileHandleForWriting.close()
        let reader = InputReader(descriptor: pipe.fileHandleForReading.fileDescriptor, name: "the pipe")
        let (_, failure) = try await Self.call("Chat", .reader(reader))
        #expect(failure?.exitCode == 64)
        #expect(
            failure?.description.contains("nam: test.tool.FindRequest has no such field") == true, "\(failure as Any)")
    }

    @Test func nothingIsSentOfInputThatIsWrong() async throws {
        let (shown, failure) = try await Self.call("Find", .text("{\"name\":\"a\"}\n{\"name\":"))
        #expect(shown.replies.isEmpty)
        #expect(failure?.exitCode == 64)
        #expect(
            failure?.description
                == "The request is no test.tool.FindRequest: line 2, column 9: the text ends where a value is expected")
    }

    @Test func aFailureStopsOrNotAsAsked() async throws {
        let requests = #"{"failWith":5} {"name":"a"} {"failWith":9}"#
        let (stopped, first) = try await Self.call("Find", .text(requests))
        #expect(stopped.replies.isEmpty && first?.exitCode == 69)
        #expect(stopped.notes == ["NOT_FOUND: failed as asked"])
        let (gone, failure) = try await Self.call("Find", .text(requests)) { $0.keepsGoing = true }
        #expect(gone.replies == [Self.found] && failure?.exitCode == 69)
        #expect(gone.notes == ["NOT_FOUND: failed as asked", "FAILED_PRECONDITION: failed as asked"])
    }

    @Test func textFormatGoesBothWays() async throws {
        let (shown, failure) = try await Self.call("Find", .text("name: 'a'\u{1e}name: 'b'")) {
            $0.format.format = .text
        }
        #expect(failure == nil)
        try #require(shown.replies.count == 3)
        #expect(shown.replies[1] == "\u{1e}")
        #expect(
            shown.replies[0] == """
                name: "a"
                price: 100
                state: STATE_SOLD
                shelf: "A"
                extra {
                  [type.googleapis.com/test.tool.Total] {
                    price: 1
                  }
                }
                """)
    }

    @Test func unknownFieldsAndDefaultsAreAsAsked() async throws {
        let (_, refused) = try await Self.call("List", .text(#"{"count":1,"new":2}"#))
        #expect(refused?.exitCode == 64)
        let (shown, failure) = try await Self.call("Sum", .text(#"{"new":2}"#)) {
            $0.format.ignoresUnknownFields = true
            $0.format.includesDefaults = true
        }
        #expect(failure == nil && shown.replies == [#"{"price":"0","count":1}"#])
    }

    @Test func metadataGoesWithTheCall() async throws {
        let (shown, failure) = try await Self.call("Find", .text(#"{"name":"metadata"}"#)) {
            $0.metadata = ["x-a": "1", "x-b": "2"]
        }
        #expect(failure == nil && shown.replies[0].contains(#""tags":["x-a=1","x-b=2"]"#), "\(shown.replies)")
    }

    @Test func sizesHeadersAndStepsAreShown() async throws {
        let steps = StepLog()
        let (shown, failure) = try await Self.call("List", .text(#"{"count":2}"#), steps: steps) {
            $0.detail = .timings
            $0.metadata = ["authorization": "Bearer secret", "x-a": "1"]
            $0.encoding = .gzip
        }
        #expect(failure == nil)
        let text = shown.notes.joined(separator: "\n")
        #expect(text.contains("> /test.tool.Shop/List\n> authorization: (not shown)\n> x-a: 1\n"))
        #expect(text.contains("> message 1: 2 bytes, to be compressed with gzip"))
        #expect(shown.notes.count { $0.hasPrefix("< message: 59 bytes, ") && $0.contains(", after ") } == 2, "\(text)")
        #expect(shown.notes.last?.hasPrefix("OK after ") == true)
        #expect(!text.contains("secret"))
        #expect(
            steps.entries.map(\.step.rawValue).filter { $0 != "reflect" } == [
                "connect", "send", "first reply", "finish",
            ])
        #expect(steps.entries.contains { $0.step == .reflect })
    }

    @Test func aCallThatHangsSaysWhatItWaitedFor() async throws {
        let (shown, failure) = try await Self.call("Find", .text(#"{"name":"hang"}"#)) {
            $0.timeout = .milliseconds(300)
        }
        #expect(failure?.exitCode == 68)
        #expect(
            shown.notes.first?.contains("waiting for the first reply of /test.tool.Shop/Find") == true, "\(shown.notes)"
        )
    }

    @Test func aServerThatNeverAnswersIsNamedWithItsStep() async throws {
        // A socket that listens and never speaks: TCP connects, HTTP/2 does not.
        let group = try EventLoopGroup(name: "silent", count: 1)
        let silent = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
        let address = try #require(ServerAddress("\(Endpoint(silent.address))"))
        var settings = ServerConnection.Settings(address: address)
        settings.connectTimeout = .milliseconds(200)
        let connection = ServerConnection(settings, group: group)
        let failure = await #expect(throws: ToolFailure.self) {
            try await ReflectionSource(connection, target: connection.target).serviceNames()
        }
        #expect(failure?.exitCode == 2)
        #expect(failure?.description.contains("\(Endpoint(silent.address))") == true, "\(failure as Any)")
        await connection.shutDown()
        group.shutDown()
    }

    @Test func aLimitOfTheWholeNamesTheStepThatHung() async throws {
        let group = try EventLoopGroup(name: "silent", count: 1)
        let silent = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
        let address = try #require(ServerAddress("\(Endpoint(silent.address))"))
        let steps = StepLog()
        let connection = ServerConnection(ServerConnection.Settings(address: address), group: group, steps: steps)
        let failure = await #expect(throws: ToolFailure.self) {
            try await Deadline.within(.milliseconds(200)) { () async throws in
                let source = ReflectionSource(connection, target: connection.target)
                _ = try await TimedSource(source, steps).serviceNames()
            }
        }
        #expect(failure?.exitCode == 2)
        #expect(
            failure?.description.contains("of connecting to \(Endpoint(silent.address)) in the clear") == true,
            "\(failure as Any)")
        await connection.shutDown()
        group.shutDown()
    }

    /// Reflection that never answers: the connection is there, and it is the schema that hangs.
    @Test func reflectionThatHangsIsNamed() async throws {
        let steps = StepLog()
        var registry = ServiceRegistry()
        let hanging = MethodDescriptor<[UInt8], [UInt8]>(
            service: "grpc.reflection.v1.ServerReflection", method: "ServerReflectionInfo", shape: .bidirectional,
            request: .raw, response: .raw)
        registry.addBidirectional(hanging) { _, _, _ in await WakeUp().wait() }
        let source = ReflectionSource(
            InProcessChannel(services: registry), target: "there", limit: .milliseconds(200))
        let failure = await #expect(throws: ToolFailure.self) {
            try await TimedSource(source, steps).schema(of: "a.B")
        }
        #expect(failure?.exitCode == 3)
        #expect(
            failure?.description.contains("asking for the schema of a.B, by the reflection of there") == true,
            "\(failure as Any)")
    }

    @Test func aNameThatDoesNotExistIsNoConnection() async throws {
        let group = try EventLoopGroup(name: "nowhere", count: 1)
        let address = try #require(ServerAddress("nowhere.invalid:1"))
        let connection = ServerConnection(ServerConnection.Settings(address: address), group: group)
        let failure = await #expect(throws: ToolFailure.self) {
            try await connection.unary("/a/b", [], options: CallOptions(timeout: .seconds(20)))
        }
        #expect(failure?.exitCode == 2)
        #expect(failure?.description.contains("nowhere.invalid") == true, "\(failure as Any)")
        await connection.shutDown()
        group.shutDown()
    }

    @Test func detailsOfAStatusAreDecoded() throws {
        let detail = GoogleRPCErrorInfo(reason: "ASKED", domain: "test", metadata: ["k": "v"])
        let details = GoogleRPCStatus(
            code: 5, message: "m",
            details: [.init(packing: detail), .init(typeURL: "x/un.Known", value: [1, 2])])
        let report = StatusReport(Status(.notFound, "m", details: details.encoded()))
        var format = MessageText()
        format.isCompact = true
        #expect(
            report.text(format) == """
                NOT_FOUND: m
                  google.rpc.ErrorInfo
                    {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ASKED","domain":"test","metadata":{"k":"v"}}
                  un.Known
                    {"@type":"x/un.Known","@value":"AQI="}
                """)
        #expect(
            report.json(format).text()
                == #"{"code":5,"status":"NOT_FOUND","message":"m","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","#
                + #""reason":"ASKED","domain":"test","metadata":{"k":"v"}},{"@type":"x/un.Known","@value":"AQI="}]}"#)
        let broken = StatusReport(Status(.internal, "m", details: [0xff]))
        #expect(broken.text(format) == "INTERNAL: m\n  details: 1 bytes that cannot be read")
        #expect(broken.json(format).text() == #"{"code":13,"status":"INTERNAL","message":"m"}"#)
    }

    @Test func theTypesInsideAnAnyAreFoundAtAnyDepth() throws {
        let inner = Google_Protobuf_Any(typeURL: "x/not.Known", value: [])
        let outer = Google_Protobuf_Any(packing: GoogleRPCStatus(details: [inner]))
        let part = Test_Tool_Part(parts: ["a": Test_Tool_Part(extra: outer)])
        let message = try DynamicMessage(decoding: part.encoded(), as: Test_Tool_Part.schema)
        #expect(message.unknownAnyTypes(.wellKnown) == ["not.Known"])
    }
}
