internal import HTTP2
internal import RPC
internal import RPCCore

extension FuzzTarget {
    /// A server that answers each whole message with itself. The first byte says in how many pieces the rest comes, and
    /// by its highest bit that the preface comes before.
    static let http2Server = FuzzTarget(
        "http2-server", maximumBytes: 2048,
        seeds: [
            [63] + preface,
            [0] + preface + frame(4, 0, 0, [0, 4, 0, 0, 0xFF, 0xFF]) + frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]),
            [0xFF] + frame(1, 4, 1, request) + frame(0, 1, 1, [0, 0, 0, 0, 2, 7, 8]),
            [0xFF] + frame(1, 0, 1, Array(request.prefix(9)))
                + frame(9, 4, 1, Array(request.dropFirst(9))) + frame(3, 0, 1, [0, 0, 0, 8]),
            [0x87] + frame(1, 4, 1, request) + frame(8, 0, 1, [0, 0, 1, 0])
                + frame(0, 8, 1, [1, 0, 0, 0, 0, 1, 9, 0]) + frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]),
        ]
    ) { bytes in
        run(.server, bytes)
    }

    /// The same for a client whose one request is under way.
    static let http2Client = FuzzTarget(
        "http2-client", maximumBytes: 2048,
        seeds: [
            [63] + frame(4, 0, 0) + frame(4, 1, 0) + frame(1, 4, 1, response) + frame(0, 0, 1, [0, 0, 0, 0, 2, 7, 8])
                + frame(1, 5, 1, trailers),
            [0] + frame(4, 0, 0) + frame(1, 5, 1, response + trailers),
            [63] + frame(4, 0, 0) + frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 11, 98, 121, 101])
                + frame(3, 0, 1, [0, 0, 0, 7]),
        ]
    ) { bytes in
        run(.client, bytes)
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let start = preface + frame(4, 0, 0)
    /// POST, http, and the rest as literals without an index (RFC 7541 section 6.2.2).
    private static let request: [UInt8] =
        [0x83, 0x86] + literal(":path", "/a.B/C") + literal(":authority", "x")
        + literal("content-type", "application/grpc")
        + literal("te", "trailers") + literal("grpc-timeout", "1S") + literal("x-bin", "AAEC")
    private static let response = [0x88] + literal("content-type", "application/grpc")
    private static let trailers = literal("grpc-status", "5") + literal("grpc-message", "no%20such")

    private static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, stream] + payload
    }

    private static func run(_ role: HTTP2Role, _ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let end = FuzzedEnd(role)
        var output = end.produced()
        var rest = (role == .server && first & 0x80 != 0 ? start : [])[...] + bytes.dropFirst()
        while !rest.isEmpty {
            let piece = Array(rest.prefix(32 * Int(first & 0x7F) + 1))
            rest = rest.dropFirst(piece.count)
            do {
                try end.session.receive(piece.span)
            } catch {
                break
            }
            output += end.produced()
        }
        output += end.produced()
        end.session.close(.cancel)
        hold(end.session.openStreams.isEmpty && end.streams.allSatisfy { !$0.isOpen }, "closing closes every stream")
        hold(end.session.outboundBytes == 0, "nothing is counted as waiting after the end")
        hold(end.streams.allSatisfy { $0.closings == $0.openings }, "each stream is closed once")
        hold(output.count <= 4096 + 32 * bytes.count, "\(bytes.count) bytes are answered by \(output.count)")
        checkFrames(output.dropFirst(role == .client ? preface.count : 0))
    }

    /// What goes out is whole frames, none over 16 KiB (RFC 9113 section 4.1).
    private static func checkFrames(_ output: ArraySlice<UInt8>) {
        var rest = output
        while !rest.isEmpty {
            hold(rest.count >= 9, "a frame has its header")
            let header = Array(rest.prefix(9))
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            hold(length <= 16384 && rest.count >= 9 + length, "a frame is whole")
            rest = rest.dropFirst(9 + length)
        }
    }
}

/// One end of a connection: a server that answers, or a client with a request.
private final class FuzzedEnd: HTTP2SessionDelegate {
    private(set) var session: HTTP2Session!
    private(set) var streams: [FuzzedStream] = []

    init(_ role: HTTP2Role) {
        session = HTTP2Session(role, settings: HTTP2Settings(), delegate: self)
        guard role == .client else { return }
        var block = HeaderBlock()
        for (name, value) in [(":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "x")] {
            block.append(name, value)
        }
        let stream = FuzzedStream(.client)
        streams.append(stream)
        stream.openings = session.submitRequest(stream, block) ? 1 : 0
        stream.write(OutboundChunk([0, 0, 0, 0, 0]))
    }

    /// What there is for the peer; nothing more after an error.
    func produced() -> [UInt8] { (try? session.produce()) ?? [] }

    func makeStream() -> HTTP2Stream {
        let stream = FuzzedStream(.server)
        stream.openings = 1
        streams.append(stream)
        return stream
    }
    func sessionHasOutput() {}
    func receivedSettings() {}
    func receivedPing() {}
    func receivedPingAcknowledgement() {}
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {}
}

/// Does with its bytes what a call does: fields, framing, an echo, a status.
private final class FuzzedStream: HTTP2Stream {
    var openings = 0
    private(set) var closings = 0
    private let role: HTTP2Role
    private var request = RequestHead()
    private var response = ResponseHead()
    private var deframer = MessageDeframer(maximumMessageBytes: 4096)
    private var hasResponded = false

    init(_ role: HTTP2Role) { self.role = role }

    override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        switch role {
        case .server: request.receive(name, value)
        case .client: response.receive(name, value)
        }
    }

    override func receiveHeadersEnd(_ kind: HeadersKind) {
        guard role == .server, kind == .initial else { return }
        _ = request.metadata
        hold(request.timeoutNanoseconds ?? 0 >= 0, "time does not go back")
        var block = HeaderBlock()
        block.append(":status", "200")
        hasResponded = true
        respond(block, endsStream: false)
    }

    override func receiveData(_ bytes: Span<UInt8>) {
        consume(bytes.count)
        do throws(FramingError) {
            try deframer.receive(bytes) { message in
                guard hasResponded else { return }
                write(OutboundChunk(MessagePrefix(length: message.bytes.count).bytes + message.bytes))
            }
        } catch {
            reset(.cancel)
        }
    }

    override func receiveEnd() {
        guard role == .server else {
            _ = response.status(atEnd: true)
            return
        }
        var trailers = HeaderBlock()
        trailers.append("grpc-status", "0")
        finish(trailers: trailers)
    }

    override func closed(_ code: HTTP2ErrorCode) { closings += 1 }
}
