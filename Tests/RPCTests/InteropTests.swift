import EventLoop
import Foundation
import RPC
import RPCCore
import TLS
import TestSupport
import Testing

private let python = Python.interpreter(importing: "grpc")

private func script(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/\(name)").path
}

/// The service of `server.py` in a process of its own.
private struct PythonServer {
    let program: PipedProgram
    let port: UInt16

    init(_ python: String, _ arguments: [String]) throws {
        program = try PipedProgram(python, [script("server.py")] + arguments)
        let line = program.read()
        port = try #require(UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)), "\(line)")
    }

    func stop() throws {
        try program.closeInput()
        program.exitStatus()
    }
}

@Suite(.serialized, .enabled(if: python != nil, "grpcio is not installed"))
struct InteropTests {
    let issued: (authority: TestAuthority, server: TestAuthority.Issued, client: TestAuthority.Issued)

    init() throws {
        let authority = try TestAuthority()
        issued = (
            authority, try authority.issue("server", alternativeNames: ["DNS:localhost"]),
            try authority.issue("client", alternativeNames: ["DNS:client.test"])
        )
    }

    private func identity(_ issued: TestAuthority.Issued) -> TLSIdentity {
        TLSIdentity(certificateChain: .file(issued.certificate), privateKey: .file(issued.key))
    }

    @Test(arguments: [false, true]) func aForeignClientCallsOurServer(_ secure: Bool) async throws {
        let python = try #require(python)
        let tls =
            secure
            ? try TLSContext(
                server: TLSServerConfiguration(
                    identity: identity(issued.server), trustRoots: .file(issued.authority.root),
                    clientCertificates: .required, allowedClients: ["client.test"])) : nil
        try await Fixture.run(serverTLS: tls) { fixture in
            var arguments = [script("client.py"), "\(Endpoint(fixture.address))"]
            if secure { arguments += [issued.authority.root, issued.client.certificate, issued.client.key] }
            let command = arguments
            let result = try await BlockingPool.shared.run { Result { try Program.run(python, command) } }.get()
            let output = result.text
            #expect(result.status == 0 && !output.contains("FAILED"), "\(output)\(result.errors)")
            #expect(output.split(separator: "\n").filter { $0.hasSuffix("ok") }.count == 20, "\(output)")
        }
    }

    @Test(arguments: [false, true]) func ourClientCallsAForeignServer(_ secure: Bool) async throws {
        let python = try #require(python)
        let server = try PythonServer(
            python, secure ? [issued.authority.root, issued.server.certificate, issued.server.key] : [])
        let tls =
            secure
            ? try TLSContext(
                client: TLSClientConfiguration(
                    identity: identity(issued.client), trustRoots: .file(issued.authority.root))) : nil
        let group = try EventLoopGroup(name: "interop", count: 1)
        let channel = RPCClientChannel(target: .tcp(host: "localhost", port: server.port), tls: tls, group: group)
        do {
            try await callEverything(channel, secure: secure)
        } catch {
            Issue.record(error)
        }
        await channel.shutDown()
        group.shutDown()
        try server.stop()
    }

    private func callEverything(_ channel: RPCClientChannel, secure: Bool) async throws {
        let options = CallOptions(timeout: .seconds(20))
        let unary = try await channel.unary(Methods.echo, "hello", options: options)
        #expect(unary == "hello")
        let text = String(repeating: "0123456789", count: 400_000)
        let large = try await channel.unary(Methods.echo, text, options: options)
        #expect(large == text)
        let streamed = try await channel.serverStreaming(Methods.countdown, "1000", options: options) { responses in
            var count = 0
            for try await _ in responses { count += 1 }
            return count
        }
        #expect(streamed == 1000)
        let joined = try await channel.clientStreaming(Methods.join, options: options) { writer in
            for word in ["a", "b"] { try await writer.write(word) }
        }
        #expect(joined == "a,b")
        let stopped = try await channel.clientStreaming(Methods.join, options: options) { writer in
            while true { try await writer.write("stop") }
        }
        #expect(stopped == "stopped")
        let chat = try await channel.bidirectional(Methods.chat, options: options) { writer, responses in
            var iterator = responses.makeAsyncIterator()
            try await writer.write("1")
            let first = try await iterator.next()
            await writer.finish()
            return [first, try await iterator.next()]
        }
        #expect(chat == ["re: 1", nil])
        let failed = await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, "fail:5", options: options)
        }
        #expect(failed?.code == .notFound && failed?.message == "failed as asked: 한 %")
        #expect(failed?.details == [1, 2, 3] && failed?.metadata["x-reason"] == "asked")
        let deadline = try await channel.unary(
            Methods.echo, "deadline?", options: CallOptions(timeout: .seconds(100)))
        #expect(["98", "99"].contains(deadline))
        for encoding in [MessageEncoding.gzip, .deflate] {
            let encoded = CallOptions(
                timeout: .seconds(20), metadata: ["x-compress": encoding.rawValue], encoding: encoding)
            try await channel.withCall(Methods.echo.path, options: encoded) { call in
                let message = Array(String(repeating: "compressible ", count: 1000).utf8)
                try await call.send(message)
                await call.finishSending()
                let answer = try #require(try await call.receiveMessage())
                #expect(answer.bytes == message && answer.wasCompressed && answer.wireByteCount < 1000, "\(encoding)")
            }
        }
        if secure {
            let peer = try await channel.unary(Methods.echo, "peer?", options: options)
            #expect(peer == "client")
        }
        var metadata: Metadata = ["x-initial": "one"]
        try metadata.append([0, 1, 255], for: "x-trailing-bin")
        let (initial, trailing) = try await channel.withCall(
            Methods.echo.path, options: CallOptions(timeout: .seconds(20), metadata: metadata)
        ) { call in
            try await call.send([])
            await call.finishSending()
            let initial = try await call.initialMetadata()
            while try await call.receive() != nil {}
            return (initial, call.trailingMetadata)
        }
        #expect(initial["x-initial"] == "one" && trailing[bytes: "x-trailing-bin"] == [0, 1, 255])
        let late = await #expect(throws: Status.self) {
            try await channel.unary(Methods.hang, "late", options: CallOptions(timeout: .milliseconds(100)))
        }
        #expect(late?.code == .deadlineExceeded)
        let cancelled = try await channel.unary("/test.Text/WasCancelled", [], options: options)
        #expect(cancelled == Array("late".utf8))
    }
}
