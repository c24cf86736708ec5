import EventLoop
import Foundation
import HTTP2
import RPCCore
import TLS
import TestSupport
import Testing

@testable import RPC

private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)

/// What a server does that nobody has configured. Attacks on the same limits, some of them made smaller so that a test
/// takes no hours: `ConnectionTests`, `HostilePeerTests`, `EncodingTests`, `AttackTests`.
@Suite struct DefaultsTests {
    @Test func aServerIsSafeAsItIs() {
        let server = ServerConfiguration()
        #expect(server.http2.maximumConcurrentStreams == 256 && server.maximumRunningHandlersPerConnection == 512)
        #expect(server.http2.headerListBytes == 16 << 10 && server.http2.maximumContinuations == 8)
        #expect(server.http2.resetBurst == 1000 && server.http2.resetsPerSecond == 100)
        #expect(server.http2.idleFrameBurst == 500 && server.http2.idleFramesPerSecond == 100)
        #expect(server.http2.maximumQueuedAcknowledgements == 1000)
        #expect(server.maximumRequestBytes == 4 << 20)
        #expect(server.handshakeTimeout == .seconds(10) && server.headerBlockTimeout == .seconds(10))
        #expect(server.writeStallTimeout == .seconds(30))
        #expect(server.requestStallTimeout == .seconds(30) && server.requestStallBytes == 16 << 10)
        #expect(server.responseMemoryBytesPerConnection == 16 << 20)
        #expect(server.maximumConnectionIdle == .seconds(15 * 60) && server.maximumConnectionAge == nil)
        #expect(server.connectionAgeGrace == .seconds(30))
        #expect(server.keepaliveTime == .seconds(2 * 3600) && server.keepaliveTimeout == .seconds(20))
        #expect(server.minimumPingInterval == .seconds(5 * 60) && !server.permitsPingsWithoutCalls)
        #expect(server.maximumConnections == 10_000 && server.maximumConnectionsPerAddress == 1_000)
    }

    @Test func theLimitsOfStreamsAndHeadersAreAnnounced() async throws {
        let settings = try await Fixture.run { fixture in
            try await RawPeer.run(fixture.address) { peer in
                // The server speaks once it knows that the client does.
                try peer.flush()
                var bytes: [UInt8] = []
                // The server's first frame, whole.
                while bytes.count < 9 || bytes.count < 9 + Int(bytes[2]) { bytes += try peer.receive() }
                return Array(bytes.prefix(9 + Int(bytes[2])))
            }
        }
        #expect(settings[3] == 4, "SETTINGS comes first")
        let entries = stride(from: 9, to: settings.count, by: 6).map { Array(settings[$0..<($0 + 6)]) }
        #expect(entries.contains([0, 3, 0, 0, 1, 0]), "MAX_CONCURRENT_STREAMS is 256")
        #expect(entries.contains([0, 6, 0, 0, 0x40, 0]), "MAX_HEADER_LIST_SIZE is 16 KiB")
    }

    @Test func theAgeOfConnectionsVariesByATenth() {
        var configuration = ServerConfiguration()
        configuration.maximumConnectionAge = .seconds(1000)
        let ages = (0..<1000).compactMap { _ in configuration.lifetime().age }
        #expect(ages.count == 1000 && Set(ages).count > 10)
        #expect(ages.allSatisfy { (900_000_000_000...1_100_000_000_000).contains($0) })
    }

    @Test func aResetDoesNotFreeThePlaceOfARunningHandler() async throws {
        let (stuck, gate) = (Events(), Barrier(3))
        var configuration = ServerConfiguration()
        configuration.maximumRunningHandlersPerConnection = 2
        try await Fixture.run(server: configuration, interceptors: [Stubborn(events: stuck, gate: gate)]) { fixture in
            let closeCodes = try await RawPeer.run(fixture.address) { peer in
                let streams = (0..<2).map { _ in
                    peer.request("/test.Text/Echo", ["x-stubborn": "1"], message: message)
                }
                try peer.flush()
                // Once the server has answered this, which comes after them, both handlers run.
                peer.session.submitPing()
                try peer.exchange { peer.answeredPings == 1 }
                for stream in streams { stream.reset(.cancel) }
                let third = peer.request("/test.Text/Echo", message: message)
                try peer.exchange { third.closeCode != nil }
                return third.closeCode
            }
            #expect(closeCodes == HTTP2ErrorCode.refusedStream.rawValue)
            #expect(await stuck.next() == "stuck")
            #expect(await stuck.next() == "stuck")
            await gate.arrive()
            #expect(await stuck.next() == "free")
            #expect(await stuck.next() == "free")
        }
    }

    // MARK: TLS

    /// What openssl's client, told to be careless, finds when it shakes hands with our server, which ends the
    /// connection: the client asks for nothing.
    ///
    /// - Parameter input: is typed once the server's SETTINGS frame has come: the client cannot take data while it asks
    ///   for another handshake.
    private func shakeHands(_ arguments: [String], input: String = "") async throws -> String {
        let certificates = try Certificates.shared.get()
        let context = try TLSContext(server: TLSServerConfiguration(identity: certificates.server))
        var configuration = ServerConfiguration()
        configuration.handshakeTimeout = .seconds(2)
        return try await Fixture.run(server: configuration, serverTLS: context) { fixture in
            let port = try #require(fixture.address.port)
            return try await BlockingPool.shared.run {
                Result {
                    let client = try PipedProgram(
                        "openssl", ["s_client", "-connect", "127.0.0.1:\(port)"] + arguments, mixesErrors: true)
                    // An open pipe: at the end of its input the client would leave before it has an answer.
                    var text = ""
                    if !input.isEmpty {
                        // Type 4 without flags on stream 0.
                        let settings = "\u{4}\0\0\0\0\0"
                        while !text.contains(settings), case let more = client.read(), !more.isEmpty { text += more }
                        try client.write(input)
                    }
                    text += try client.readToEnd()
                    client.exitStatus()
                    try client.closeInput()
                    return text
                }
            }.get()
        }
    }

    @Test func tlsIsNewAndForwardSecretAndAuthenticated() async throws {
        let newest = try await shakeHands(["-alpn", "h2"])
        #expect(newest.contains("Protocol  : TLSv1.3") || newest.contains("New, TLSv1.3"), "\(newest)")
        #expect(newest.contains("ALPN protocol: h2") && !newest.contains("Compression: zlib"))
        let older = try await shakeHands(["-alpn", "h2", "-tls1_2"])
        #expect(older.contains(/Cipher is ECDHE-ECDSA-(AES(128|256)-GCM|CHACHA20)/), "\(older)")
    }

    @Test(arguments: [
        ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], ["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], ["-alpn", "http/1.1"],
    ])
    func weakHandshakesFail(_ arguments: [String]) async throws {
        let said = try await shakeHands(arguments)
        #expect(said.contains("alert"), "\(said)")
        #expect(said.contains("Cipher is (NONE)"), "\(said)")
    }

    @Test func clientsThatNameNoProtocolAreClosed() async throws {
        let said = try await shakeHands([])
        #expect(said.contains("No ALPN negotiated"), "\(said)")
    }

    @Test(.timeLimit(.minutes(1))) func tlsIsNotRenegotiated() async throws {
        // "R" at the start of a line asks s_client for it.
        let said = try await shakeHands(["-alpn", "h2", "-tls1_2"], input: "R\n")
        #expect(said.contains("RENEGOTIATING") && said.contains("no renegotiation"), "\(said)")
    }

    @Test(arguments: [[], [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]] as [[UInt8]])
    func aHandshakeThatStopsIsNotWaitedFor(_ start: [UInt8]) async throws {
        let certificates = try Certificates.shared.get()
        var configuration = ServerConfiguration()
        configuration.handshakeTimeout = .milliseconds(100)
        try await Fixture.run(server: configuration, serverTLS: try certificates.serverContext()) { fixture in
            try await RawPeer.run(fixture.address) { peer in
                try peer.send(start)
                while !peer.isClosedByServer { _ = try peer.receive() }
            }
        }
    }
}

/// Returns when the gate opens, and not when its task is cancelled.
private struct Stubborn: ServerInterceptor {
    let events: Events
    let gate: Barrier

    func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
        guard call.metadata["x-stubborn"] != nil else { return try await next(call) }
        events.report("stuck")
        await gate.arrive()
        events.report("free")
    }
}
