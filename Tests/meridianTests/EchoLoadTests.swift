import ArgumentParser
import EventLoop
import Foundation
import TestSupport
import Testing

@testable import meridian

/// `bench echo-server` and `bench echo-client` as programs: what `Peers/tables.sh` measures our side with.
struct EchoLoadTests {
    @Test(arguments: [[], ["--window", "4"]], [false, true])
    func answersAreCounted(shape: [String], isSecure: Bool) async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let authority = try TestAuthority()
        let own = try authority.issue("echo", alternativeNames: ["IP:127.0.0.1"])
        for (source, name) in [(own.certificate, "server.pem"), (own.key, "server.key")] {
            try FileManager.default.copyItem(atPath: source, toPath: "\(folder.path)/\(name)")
        }
        let program = try Program.built("meridian")
        let server = [program, "bench", "echo-server", "--port", "0"] + (isSecure ? ["--tls", folder.path] : [])
        try await serve(server) { port, serverProcess in
            let address =
                isSecure ? ["https://127.0.0.1:\(port)", "--ca", authority.root] : ["http://127.0.0.1:\(port)"]
            let result = try Program.run(
                program,
                ["bench", "echo-client", "--connections", "2", "--calls", "3", "--warm-up", "50ms"]
                    + ["--duration", "200ms", "--server-pid", "\(serverProcess)"]
                    + shape + address)
            #expect(result.status == 0, "\(result.errors)")
            let line = #/(\d+) answers/s, (\d+) per CPU second of the client, \d+ per CPU second of the server\n/#
            let match = try #require(result.text.wholeMatch(of: line), "\(result.text)")
            #expect(try #require(Int(match.1)) > 0 && Int(match.2)! > 0)
        }
    }

    @Test func aFailedCallEndsTheLoad() async throws {
        let program = try Program.built("meridian")
        let result = try await BlockingPool.shared.run {
            Result { try Program.run(program, ["bench", "echo-client", "http://127.0.0.1:1"]) }
        }.get()
        #expect(result.status == 1 && result.text.isEmpty)
        #expect(result.errors.contains("127.0.0.1:1"), "\(result.errors)")
    }

    @Test(arguments: [
        ["--calls", "0"], ["--connections", "257"], ["--window", "257"], ["--duration", "2m"],
        ["--ca", "a", "--insecure"],
    ])
    func whatIsNoLoadIsRefused(_ options: [String]) {
        #expect(throws: (any Error).self) { try BenchEchoClient.parse(["http://127.0.0.1:1"] + options) }
    }

    @Test func processorTimeIsOfTheProcess() throws {
        let own = try ProcessorClock.own.read()
        let same = try ProcessorClock(process: ProcessInfo.processInfo.processIdentifier).read()
        #expect(own > .zero && same >= own)
        // Above what the kernel gives to any process.
        #expect(throws: SystemError(call: "clock_getcpuclockid", code: ESRCH)) {
            try ProcessorClock(process: 1 << 22 + 1)
        }
    }

    private func serve(_ command: [String], _ body: @escaping @Sendable (UInt16, Int32) throws -> Void) async throws {
        try await BlockingPool.shared.run {
            Result {
                let server = try ServerProgram(command)
                defer { server.stop() }
                try body(server.port, server.identifier)
            }
        }.get()
    }
}
