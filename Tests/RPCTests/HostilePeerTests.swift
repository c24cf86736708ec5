import EventLoop
import Foundation
import HTTP2
import RPC
import RPCCore
import TestSupport
import Testing

private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)

/// The fields and data of one answered request.
private func answer(
    _ fixture: Fixture, _ path: String = "/test.Text/Echo", _ fields: [String: String] = [:], message: [UInt8],
    ends: Bool = true
) async throws -> (headers: [String: String], data: [UInt8]) {
    try await RawPeer.run(fixture.address) { peer in
        let stream = peer.request(path, fields, message: message, ends: ends)
        try peer.exchange { stream.hasEnded || stream.closeCode != nil }
        return (stream.headers, stream.data)
    }
}

@Test func theAnswerOfAUnaryCallByteByByte() async throws {
    try await Fixture.run { fixture in
        let (headers, data) = try await answer(fixture, message: message)
        #expect(headers == [":status": "200", "content-type": "application/grpc", "grpc-status": "0"])
        #expect(data == message)
    }
}

@Test(arguments: [
    ([":method": "GET"], "405"), ([":method": "PUT"], "405"), (["content-type": "text/html"], "415"),
    (["content-type": "application/grpcx"], "415"), (["content-type": "application/json"], "415"),
])
func whatIsNotGRPCGetsAnHTTPError(_ fields: [String: String], _ status: String) async throws {
    try await Fixture.run { fixture in
        let (headers, data) = try await answer(fixture, "/test.Text/Echo", fields, message: message)
        #expect(headers[":status"] == status && headers["grpc-status"] == nil && data.isEmpty)
    }
}

@Test(arguments: ["application/grpc+proto", "application/grpc;charset=utf-8", "application/grpc"])
func subtypesOfTheContentTypeAreTaken(_ type: String) async throws {
    try await Fixture.run { fixture in
        let (headers, _) = try await answer(fixture, "/test.Text/Echo", ["content-type": type], message: message)
        #expect(headers["grpc-status"] == "0")
    }
}

@Test(
    arguments: [
        ("two messages", message + message, 13), ("no message", [], 13), ("cut in the prefix", [0, 0], 13),
        ("cut in the message", [0, 0, 0, 0, 5, 1], 13), ("flag 2", [2, 0, 0, 0, 0], 13),
        ("compressed", [1, 0, 0, 0, 1, 9], 13), ("4 GiB announced", [0, 255, 255, 255, 255], 8),
        ("4 MiB and one announced", [0, 0, 64, 0, 1], 8),
    ] as [(String, [UInt8], Int)])
func malformedRequestsFailTheCallOnly(_ name: String, _ bytes: [UInt8], _ code: Int) async throws {
    try await Fixture.run { fixture in
        let (headers, data) = try await answer(fixture, message: bytes)
        #expect(headers["grpc-status"] == "\(code)" && data.isEmpty, "\(headers)")
    }
}

@Test func anAnnouncedGiantIsRefusedBeforeItComes() async throws {
    try await Fixture.run { fixture in
        let (headers, _) = try await answer(fixture, message: [0, 255, 255, 255, 255], ends: false)
        #expect(headers["grpc-status"] == "8")
    }
}

@Test(arguments: [("grpc-timeout", "1x"), ("grpc-timeout", "999999999S"), ("grpc-encoding", "zip")])
func badFieldsFailTheCall(_ name: String, _ value: String) async throws {
    try await Fixture.run { fixture in
        let (headers, _) = try await answer(fixture, "/test.Text/Echo", [name: value], message: message)
        #expect(["12", "13"].contains(headers["grpc-status"]), "\(headers)")
    }
}

@Test func tooMuchMetadataIsRefused() async throws {
    try await Fixture.run { fixture in
        var fields: [String: String] = [:]
        for index in 0..<20 { fields["x-\(index)"] = String(repeating: "v", count: 1000) }
        let (headers, _) = try await answer(fixture, "/test.Text/Echo", fields, message: message)
        #expect(headers["grpc-status"] == "8")
    }
}

@Test func aConnectionCutInACallCancelsItsHandler() async throws {
    try await Fixture.run { fixture in
        let events = fixture.events
        try await RawPeer.run(fixture.address) { peer in
            let streams = (0..<20).map { _ in peer.request("/test.Text/Hang", message: message) }
            // An answered call shows that the others have started.
            let last = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { last.hasEnded }
            #expect(streams.allSatisfy { !$0.hasEnded })
        }
        var seen: [String: Int] = [:]
        for _ in 0..<40 { seen[await events.next() ?? "none", default: 0] += 1 }
        #expect(seen == ["started hi": 20, "cancelled hi true": 20])
    }
}

@Test func aResetCancelsItsHandlerAndNoOther() async throws {
    try await Fixture.run { fixture in
        let events = fixture.events
        let data = try await RawPeer.run(fixture.address) { peer in
            let hanging = peer.request("/test.Text/Hang", message: message)
            let first = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { first.hasEnded }
            hanging.reset(.cancel)
            let second = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { second.hasEnded }
            return second.data
        }
        #expect(data == message)
        #expect(await events.next() == "started hi")
        #expect(await events.next() == "cancelled hi true")
    }
}

@Test(arguments: ["", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
func halfAPrefaceIsNotWaitedForLong(_ preface: String) async throws {
    var configuration = ServerConfiguration()
    configuration.handshakeTimeout = .milliseconds(100)
    try await Fixture.run(server: configuration) { fixture in
        let isClosed = try await RawPeer.run(fixture.address) { peer in
            try peer.send(Array(preface.utf8))
            while !peer.isClosedByServer { _ = try peer.receive() }
            return peer.isClosedByServer
        }
        #expect(isClosed)
    }
}

@Test(arguments: [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense!!",
])
func otherProtocolsAreClosed(_ text: String) async throws {
    try await Fixture.run { fixture in
        try await RawPeer.run(fixture.address) { peer in
            try peer.send(Array(text.utf8) + [UInt8](repeating: 0xFF, count: 100))
            while !peer.isClosedByServer { _ = try peer.receive() }
        }
        let after = try await fixture.channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}

@Test func rapidResetEndsTheConnectionNotTheServer() async throws {
    var configuration = ServerConfiguration()
    configuration.http2.resetBurst = 50
    configuration.http2.resetsPerSecond = 1
    configuration.maximumRunningHandlersPerConnection = 20
    try await Fixture.run(server: configuration) { fixture in
        let (closed, code) = try await RawPeer.run(fixture.address) { peer in
            for _ in 0..<200 where !peer.isClosedByServer {
                let stream = peer.request("/test.Text/Hang", message: message)
                try peer.flush()
                stream.reset(.cancel)
                try peer.flush()
            }
            try peer.exchange { false }
            return (peer.isClosedByServer, peer.goAway)
        }
        #expect(closed && code == nil || code == HTTP2ErrorCode.enhanceYourCalm.rawValue || code == 1 || code == 2)
        let after = try await fixture.channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}

@Test func connectionsPastTheLimitAreClosed() async throws {
    var configuration = ServerConfiguration()
    configuration.maximumConnections = 1
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        let first = try await fixture.channel.unary(Methods.echo, "first")
        #expect(first == "first")
        try await RawPeer.run(fixture.address) { peer in
            while !peer.isClosedByServer { _ = try peer.receive() }
        }
        let second = try await fixture.channel.unary(Methods.echo, "second")
        #expect(second == "second")
    }
}

@Test func theServerAnswersPings() async throws {
    try await Fixture.run { fixture in
        let bytes = try await RawPeer.run(fixture.address) { peer in
            let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
            try peer.flush()
            try peer.send(ping)
            var bytes: [UInt8] = []
            while !bytes.contains([0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]), !peer.isClosedByServer {
                bytes += try peer.receive()
            }
            return bytes
        }
        #expect(bytes.contains([0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
    }
}

/// h2load stops by the clock, with calls in flight on every connection.
@Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/h2load"), "h2load is not installed"))
func aLoadGeneratorThatLeavesInTheMiddle() async throws {
    try await Fixture.run { fixture in
        let port = try #require(fixture.address.port)
        let body = FileManager.default.temporaryDirectory.appending(path: "body-\(UUID().uuidString)")
        try Data(message).write(to: body)
        defer { try? FileManager.default.removeItem(at: body) }
        let arguments = [
            "-c", "8", "-m", "50", "-D", "1", "-d", body.path, "-H", "content-type: application/grpc",
            "-H", "te: trailers", "http://127.0.0.1:\(port)/test.Text/Echo",
        ]
        let result = try await BlockingPool.shared.run { Result { try Program.run("h2load", arguments) } }.get()
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        let after = try await fixture.channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}
