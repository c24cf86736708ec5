import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Testing

private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)
private let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]

/// What a server does with connections that say nothing, or too much.
@Suite struct ConnectionTests {
    /// The GOAWAY frames that came until the server closed.
    private func farewells(
        _ configuration: ServerConfiguration, _ body: @escaping @Sendable (RawPeer) throws -> Void
    ) async throws -> [UInt32] {
        try await Fixture.run(server: configuration) { fixture in
            try await RawPeer.run(fixture.address) { peer in
                try body(peer)
                try peer.exchange { false }
                return peer.goAways
            }
        }
    }

    @Test func anIdleConnectionIsLeft() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnectionIdle = .milliseconds(100)
        let goAways = try await farewells(configuration) { peer in
            let stream = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { stream.hasEnded }
            #expect(stream.hasEnded)
        }
        #expect(goAways.first == 0, "\(goAways)")
    }

    @Test func anOldConnectionLetsItsCallsEndWithinItsGrace() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnectionAge = .milliseconds(100)
        configuration.connectionAgeGrace = .milliseconds(100)
        let goAways = try await farewells(configuration) { peer in
            _ = peer.request("/test.Text/Hang", message: message)
        }
        #expect(goAways == [0, 0])
    }

    @Test func aSilentClientIsPingedAndGivenUp() async throws {
        var configuration = ServerConfiguration()
        configuration.keepaliveTime = .milliseconds(50)
        configuration.keepaliveTimeout = .milliseconds(100)
        try await Fixture.run(server: configuration) { fixture in
            let bytes = try await RawPeer.run(fixture.address) { peer in
                try peer.flush()
                var bytes: [UInt8] = []
                while !peer.isClosedByServer { bytes += try peer.receive() }
                return bytes
            }
            #expect(bytes.contains([0, 0, 8, 6, 0, 0, 0, 0, 0]), "there was no ping")
        }
    }

    @Test func aClientThatAnswersPingsStays() async throws {
        var configuration = ServerConfiguration()
        configuration.keepaliveTime = .milliseconds(20)
        configuration.keepaliveTimeout = .seconds(20)
        try await Fixture.run(server: configuration) { fixture in
            try await RawPeer.run(fixture.address) { peer in
                try peer.exchange { peer.pings >= 3 }
                let stream = peer.request("/test.Text/Echo", message: message)
                try peer.exchange { stream.hasEnded }
                #expect(stream.hasEnded && !peer.isClosedByServer)
            }
        }
    }

    @Test func tooManyPingsEndTheConnection() async throws {
        let goAways = try await farewells(ServerConfiguration()) { peer in
            try peer.flush()
            for _ in 0..<4 { try peer.send(ping) }
        }
        #expect(goAways == [HTTP2ErrorCode.enhanceYourCalm.rawValue])
    }

    @Test func pingsBetweenAnswersAreWelcome() async throws {
        try await Fixture.run { fixture in
            try await RawPeer.run(fixture.address) { peer in
                for _ in 0..<20 {
                    let stream = peer.request("/test.Text/Echo", message: message)
                    try peer.exchange { stream.hasEnded }
                    try peer.send(ping)
                }
                #expect(peer.goAways.isEmpty)
            }
        }
    }

    @Test func aHeaderBlockThatStopsIsNotWaitedFor() async throws {
        var configuration = ServerConfiguration()
        configuration.headerBlockTimeout = .milliseconds(100)
        let goAways = try await farewells(configuration) { peer in
            let stream = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { stream.hasEnded }
            try peer.flush()
            // HEADERS without END_HEADERS: ":method: POST" and no more.
            try peer.send([0, 0, 1, 1, 0, 0, 0, 0, 3, 0x83])
        }
        #expect(goAways == [HTTP2ErrorCode.enhanceYourCalm.rawValue])
    }

    @Test func aClientThatReadsNothingIsCutOff() async throws {
        var configuration = ServerConfiguration()
        configuration.writeStallTimeout = .milliseconds(200)
        try await Fixture.run(server: configuration) { fixture in
            let isHungUp = try await RawPeer.run(fixture.address) { peer in
                // All windows wide open, and nothing is read but by the kernel.
                try peer.flush()
                try peer.send([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff])
                try peer.send([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0])
                _ = peer.request("/test.Text/Flood", message: message)
                try peer.flush()
                return peer.isHungUpUnread()
            }
            #expect(isHungUp)
        }
    }

    @Test func connectionsPerAddressAreLimited() async throws {
        var configuration = ServerConfiguration()
        configuration.maximumConnectionsPerAddress = 1
        try await Fixture.run(loops: 1, server: configuration) { fixture in
            let first = try await fixture.channel.unary(Methods.echo, "first")
            try await RawPeer.run(fixture.address) { peer in
                while !peer.isClosedByServer { _ = try peer.receive() }
            }
            #expect(first == "first")
        }
        // A unix socket has no address to count by.
        let path = "/tmp/meridian-rpc-\(UInt32.random(in: .min ... .max)).sock"
        try await Fixture.run(loops: 2, at: .unix(path: path), server: configuration) { fixture in
            let other = RPCClientChannel(target: .unix(path: path), group: fixture.group)
            for _ in 0..<10 {
                let first = try await fixture.channel.unary(Methods.echo, "first")
                let second = try await other.unary(Methods.echo, "second")
                #expect(first == "first" && second == "second")
            }
            await other.shutDown()
        }
    }

    @Test func largeMessagesTakeTurnsWithinTheirMemory() async throws {
        var configuration = ServerConfiguration()
        configuration.requestMemoryBytesPerConnection = 1 << 20
        try await Fixture.run(loops: 1, server: configuration) { fixture in
            let channel = fixture.channel
            // Three times as much as fits, each whole message larger than its share.
            let text = String(repeating: "x", count: 600 << 10)
            let lengths = try await withThrowingTaskGroup { tasks in
                for _ in 0..<20 { tasks.addTask { try await channel.unary(Methods.echo, text).count } }
                var lengths: [Int] = []
                for try await length in tasks { lengths.append(length) }
                return lengths
            }
            #expect(lengths == Array(repeating: 600 << 10, count: 20))
            // One that is larger than all of it goes through alone.
            let large = try await channel.unary(Methods.echo, String(repeating: "y", count: 3 << 20))
            #expect(large.utf8.count == 3 << 20)
        }
    }
}
