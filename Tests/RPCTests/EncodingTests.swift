import Compression
import EventLoop
import HTTP2
import RPC
import RPCCore
import Testing

private let text = String(repeating: "an order for one share of Apple, ", count: 200)

/// Messages compressed on their way, in both directions.
@Suite struct EncodingTests {
    @Test(arguments: [MessageEncoding.gzip, .deflate])
    func requestsAndResponsesAreCompressed(_ encoding: MessageEncoding) async throws {
        try await Fixture.run { fixture in
            var options = CallOptions()
            try options.metadata.append(encoding.rawValue, for: "x-compress")
            options.encoding = encoding
            try await fixture.channel.withCall(Methods.chat.path, options: options) { call in
                try await call.send(Array(text.utf8))
                try await call.send(Array("plain".utf8), compressing: false)
                await call.finishSending()
                let first = try #require(try await call.receiveMessage())
                #expect(first.bytes == Array("re: \(text)".utf8) && first.wasCompressed)
                #expect(first.wireByteCount < text.utf8.count / 10)
                let second = try #require(try await call.receiveMessage())
                #expect(second.bytes == Array("re: plain".utf8))
                let end = try await call.receiveMessage()
                #expect(end == nil)
            }
            let unary = try await fixture.channel.unary(Methods.echo, text, options: options)
            #expect(unary == text)
        }
    }

    @Test(arguments: [("gzip", "identity"), ("gzip", "deflate"), ("deflate", "identity, gzip")])
    func aClientGetsNoEncodingThatItDoesNotAccept(_ wanted: String, _ accepted: String) async throws {
        try await Fixture.run { fixture in
            let headers = try await RawPeer.run(fixture.address) { peer in
                let stream = peer.request(
                    "/test.Text/Echo", ["x-compress": wanted, "grpc-accept-encoding": accepted],
                    message: [0, 0, 0, 0, 2] + Array("hi".utf8))
                try peer.exchange { stream.hasEnded }
                #expect(stream.data == [0, 0, 0, 0, 2] + Array("hi".utf8))
                return stream.headers
            }
            #expect(headers["grpc-encoding"] == nil && headers["grpc-status"] == "0")
        }
    }

    @Test func anUnknownEncodingIsRefusedWithWhatIsKnown() async throws {
        try await Fixture.run { fixture in
            let headers = try await RawPeer.run(fixture.address) { peer in
                let stream = peer.request("/test.Text/Echo", ["grpc-encoding": "zstd"], message: [0, 0, 0, 0, 0])
                try peer.exchange { stream.hasEnded }
                return stream.headers
            }
            #expect(headers["grpc-status"] == "12" && headers["grpc-accept-encoding"] == "identity,gzip,deflate")
        }
    }

    enum Damage: CaseIterable, Sendable {
        case notGzip, tooLarge, notDeflate, tooLargeDeflated

        var packed: [UInt8] {
            switch self {
            case .notGzip, .notDeflate: [1, 2, 3]
            case .tooLarge: Gzip.compress([UInt8](repeating: 0, count: (4 << 20) + 1))
            case .tooLargeDeflated: Zlib.compress([UInt8](repeating: 0, count: (4 << 20) + 1))
            }
        }

        var encoding: String { self == .notGzip || self == .tooLarge ? "gzip" : "deflate" }
        var status: String { self == .notGzip || self == .notDeflate ? "13" : "8" }
    }

    @Test(arguments: Damage.allCases) func whatCannotBeUnpackedFailsTheCall(_ damage: Damage) async throws {
        let packed = damage.packed
        try await Fixture.run { fixture in
            let prefix = [1] + [24, 16, 8, 0].map { UInt8(packed.count >> $0 & 255) }
            let headers = try await RawPeer.run(fixture.address) { peer in
                let stream = peer.request(
                    "/test.Text/Echo", ["grpc-encoding": damage.encoding], message: prefix + packed)
                try peer.exchange { stream.hasEnded }
                return stream.headers
            }
            #expect(headers["grpc-status"] == damage.status, "\(headers)")
            let after = try await fixture.channel.unary(Methods.echo, "after")
            #expect(after == "after")
        }
    }
}
