import EventLoop
import Foundation
import TestSupport
import Testing

/// `list`, `describe`, `call` and `bench rpc` as programs against a server of grpcio, which has reflection v1alpha only.
@Suite(.serialized, .enabled(if: ForeignServer.python != nil, "grpcio with reflection is not installed"))
struct ForeignServerTests {
    private static let part = """
        {
          "name": "a",
          "price": "100",
          "state": "STATE_SOLD",
          "shelf": "A",
          "extra": {
            "@type": "type.googleapis.com/test.tool.Total",
            "price": "1"
          }
        }

        """

    @Test func itTellsOfItselfAndIsCalled() async throws {
        try await ForeignServer.run { server in
            let address = "http://127.0.0.1:\(server.port)"
            var result = try await server.meridian(["list", address])
            #expect(result.text == "grpc.reflection.v1alpha.ServerReflection\ntest.tool.Shop\n", "\(result.errors)")
            result = try await server.meridian(["list", address, "test.tool.Shop"])
            #expect(result.text == ["Find", "List", "Sum", "Chat"].map { "test.tool.Shop/\($0)\n" }.joined())
            result = try await server.meridian(["describe", address, "test.tool.Part.Box"])
            #expect(
                result.text == """
                    // test.tool.Part.Box is a message in test/tool/tool.proto
                    message Box {
                      int32 row = 1;
                    }

                    """)
            result = try await server.meridian(["describe", address, "test.tool.Shop/Find", "--template"])
            #expect(result.text == "{\n  \"name\": \"\",\n  \"failWith\": 0\n}\n")

            result = try await server.meridian(["call", address, "test.tool.Shop/Find", "-d", #"{"name":"a"}"#])
            #expect(result.status == 0 && result.text == Self.part, "\(result.errors)")
            result = try await server.meridian(
                ["call", "127.0.0.1:\(server.port)", "Shop.List", "--plaintext", "-d", #"{"count":2}"#, "--compact"])
            #expect(result.text.split(separator: "\n").count == 2, "\(result.errors)")
            result = try await server.meridian(
                ["call", address, "Sum", "-d", "@-", "--compact"], input: #"{"price":5}{"price":"6"}"#)
            #expect(result.text == "{\"price\":\"11\",\"count\":2}\n", "\(result.errors)")
            result = try await server.meridian(
                ["call", address, "Chat", "-d", "@-", "--format", "text"], input: "name: 'a'\u{1e}name: 'b'")
            #expect(result.text.split(separator: "\u{1e}").count == 2 && result.text.hasPrefix("name: \"a\"\n"))
        }
    }

    @Test func failuresHaveDetailsAndCodes() async throws {
        try await ForeignServer.run { server in
            let address = "http://127.0.0.1:\(server.port)"
            let find = ["call", address, "Find", "--compact", "-d"]
            var result = try await server.meridian(find + [#"{"name":"a","failWith":5}"#])
            #expect(result.status == 69 && result.text.isEmpty)
            #expect(
                result.errors == """
                    NOT_FOUND: failed as asked: 한
                      google.rpc.ErrorInfo
                        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ASKED","domain":"test","metadata":{"name":"a"}}
                      test.tool.Total
                        {"@type":"type.googleapis.com/test.tool.Total","price":"7"}

                    """)
            result = try await server.meridian(find + [#"{"name":"a","failWith":5}"#, "--format-error"])
            #expect(result.status == 69 && result.errors.hasPrefix(#"{"code":5,"status":"NOT_FOUND","message":"#))
            result = try await server.meridian(find + [#"{"nam":"a"}"#])
            #expect(result.status == 64 && result.errors.contains("nam: test.tool.FindRequest has no such field"))
            result = try await server.meridian(["call", address, "Nothing"])
            #expect(result.status == 3 && result.errors.contains("has no method Nothing"), "\(result.errors)")
            result = try await server.meridian(["call", "http://127.0.0.1:1", "test.tool.Shop/Find"])
            #expect(
                result.status == 2 && result.errors.contains("no connection to ipv4:127.0.0.1:1"), "\(result.errors)")
            result = try await server.meridian(["call", "127.0.0.1:\(server.port)", "test.tool.Shop/Find"])
            #expect(result.status == 2 && result.errors.contains("say http:// or --plaintext"), "\(result.errors)")
            result = try await server.meridian(["call", "--max-time", "1"])
            #expect(result.status == 64)
        }
    }

    @Test func headersSchemasAndTimesAreAsAsked() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let headers = "\(folder.path)/headers"
        try Data("# secret\nx-file: $TOKEN\n".utf8).write(to: URL(filePath: headers))
        try await ForeignServer.run { server in
            let address = "http://127.0.0.1:\(server.port)"
            var result = try await server.meridian(
                ["call", address, "Find", "-d", #"{"name":"metadata"}"#, "--compact", "-vv"]
                    + ["-H", "x-all: 1", "-H", "@\(headers)", "--expand-headers", "--rpc-header", "x-call: 2"]
                    + ["--reflect-header", "x-reflect: 3", "--max-time", "20s", "--save-schema", "\(folder.path)/set"]
                    + ["--save-protos", "\(folder.path)/protos"], environment: ["TOKEN": "t0k"])
            #expect(
                result.text.contains(#""tags":["x-all=1","x-call=2","x-file=t0k","left=1"#),
                "\(result.text)\(result.errors)")
            for step in ["* connecting to", "* connect ", "* reflect ", "* send ", "* first reply ", "* finish "] {
                #expect(result.errors.contains(step), "\(step): \(result.errors)")
            }
            // What was saved is as good as asking.
            result = try await server.meridian(
                ["call", address, "Find", "-d", #"{"name":"a"}"#, "--descriptor-set", "\(folder.path)/set"])
            #expect(result.text == Self.part, "\(result.errors)")
            result = try await server.meridian(
                ["call", address, "Find", "-d", #"{"name":"a"}"#, "-I", "\(folder.path)/protos"]
                    + ["--proto", "test/tool/tool.proto"])
            #expect(result.text == Self.part, "\(result.errors)")
            result = try await server.meridian(
                ["call", address, "Find", "-d", #"{"name":"a"}"#, "--max-message-size", "5"])
            #expect(result.status == 72 && result.errors.contains("exceeds the limit of 5"), "\(result.errors)")
        }
    }

    @Test func aServerWithoutReflectionSaysWhatItAnswered() async throws {
        try await ForeignServer.run(["--no-reflection"]) { server in
            let result = try await server.meridian(["list", "http://127.0.0.1:\(server.port)"])
            #expect(result.status == 3)
            #expect(result.errors.contains("grpc.reflection.v1 was answered with UNIMPLEMENTED"), "\(result.errors)")
            #expect(result.errors.contains("grpc.reflection.v1alpha was answered with UNIMPLEMENTED"))
        }
    }

    @Test func aUnixSocketIsReachedWithItsDefaultAuthority() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let socket = "\(folder.path)/s"
        try await ForeignServer.run(["--unix", socket]) { server in
            let result = try await server.meridian(["call", "unix:\(socket)", "Find", "-d", #"{"name":"a"}"#])
            #expect(result.text == Self.part, "\(result.errors)")
        }
    }

    @Test func mutualTLSIsSpokenUnderAnotherName() async throws {
        let authority = try TestAuthority()
        let own = try authority.issue("shop", alternativeNames: ["DNS:shop.test"])
        let client = try authority.issue("client", alternativeNames: ["DNS:client.test"])
        try await ForeignServer.run(["--tls", authority.root, own.certificate, own.key]) { server in
            let address = "https://localhost:\(server.port)"
            let identity = ["--cert", client.certificate, "--key", client.key]
            var result = try await server.meridian(
                ["call", address, "Find", "-d", #"{"name":"a"}"#, "--ca", authority.root, "--server-name", "shop.test"]
                    + identity)
            #expect(result.text == Self.part, "\(result.errors)")
            result = try await server.meridian(["list", address, "--ca", authority.root] + identity)
            #expect(result.status == 2 && result.text.isEmpty, "\(result.errors)")
            // Neither the authority nor the name matters any more.
            result = try await server.meridian(["list", address, "--insecure"] + identity)
            #expect(result.text.contains("test.tool.Shop\n"), "\(result.errors)")
            result = try await server.meridian(
                ["call", address, "Find", "-d", #"{"name":"a"}"#, "--insecure"] + identity)
            #expect(result.text == Self.part, "\(result.errors)")
            for contradiction in [["--ca", authority.root], ["--plaintext"]] {
                result = try await server.meridian(["list", address, "--insecure"] + contradiction)
                #expect(result.status == 64 && result.errors.contains("--insecure"), "\(result.errors)")
            }
        }
    }

    @Test func aLoadIsBoundedAndReported() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        try await ForeignServer.run { server in
            let address = "http://127.0.0.1:\(server.port)"
            var result = try await server.meridian(
                ["bench", "rpc", address, "Find", "-d", #"{"name":"{{n}}"}"#, "--requests", "50", "--concurrency", "2"]
                    + ["--warm-up", "0s", "--json", "--report", "\(folder.path)/report"])
            #expect(result.status == 0, "\(result.errors)")
            let report = try #require(
                JSONSerialization.jsonObject(with: result.output) as? [String: Any], "\(result.text)")
            let figures = try #require(report["figures"] as? [String: Any])
            #expect(figures["statuses"] as? [String: Int] == ["OK": 50])
            #expect((figures["latency"] as? [String: Any])?["count"] as? Int == 50)
            #expect(try String(contentsOfFile: "\(folder.path)/report", encoding: .utf8) == result.text)
            result = try await server.meridian(
                ["bench", "rpc", address, "List", "-d", #"{"count":3}"#, "--rate", "50", "--duration", "2s"]
                    + ["--warm-up", "0s"])
            #expect(result.text.contains("calls     100 offered"), "\(result.text)\(result.errors)")
            #expect(result.errors.hasPrefix("1 s  "), "\(result.errors)")
        }
    }

    @Test func shellsAreToldTheMethods() async throws {
        try await ForeignServer.run { server in
            let address = "http://127.0.0.1:\(server.port)"
            let result = try await server.meridian(
                ["---completion", "call", "--", "positional@0", "2", "0", "call", address, ""])
            #expect(result.text.contains("test.tool.Shop/Find"), "\(result.text)\(result.errors)")
        }
    }
}

/// The shop of grpcio in a process of its own.
private struct ForeignServer {
    static let python = Python.interpreter(importing: "grpc", "grpc_tools", "grpc_reflection")

    let port: UInt16

    static func run(_ arguments: [String] = [], _ body: (ForeignServer) async throws -> Void) async throws {
        let server = try PipedProgram(
            #require(python),
            ["\(Repository.path)/Tests/RPCToolTests/Python/server.py", "\(Repository.path)/Protos"] + arguments)
        let outcome: Result<Void, any Error>
        do {
            let line = try await BlockingPool.shared.run { server.read() }
            // Over a unix socket there is no port; grpcio says 1 or 0.
            let port = try #require(UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)), "\(line)")
            outcome = .success(try await body(ForeignServer(port: port)))
        } catch {
            outcome = .failure(error)
        }
        try server.closeInput()
        _ = try await BlockingPool.shared.run { server.exitStatus() }
        try outcome.get()
    }

    /// Runs the program that was built together with the tests.
    func meridian(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) async throws -> Program.Result {
        let program = try Program.built("meridian")
        return try await BlockingPool.shared.run {
            Result { try Program.run(program, arguments, input: Data(input.utf8), environment: environment) }
        }.get()
    }
}
