import EventLoop
import Glibc
import HTTP2

/// A client below gRPC: it sends what a test wants, frames or bytes, over a blocking socket. Use it on a thread that
/// may wait (`run`).
final class RawPeer: HTTP2SessionDelegate {
    /// One stream and what came back on it.
    final class Stream: HTTP2Stream {
        private(set) var headers: [String: String] = [:]
        private(set) var data: [UInt8] = []
        private(set) var closeCode: UInt32?
        private(set) var hasEnded = false

        override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) { headers[text(name)] = text(value) }
        override func receiveData(_ bytes: Span<UInt8>) {
            for index in bytes.indices { data.append(bytes[index]) }
            consume(bytes.count)
        }
        override func receiveEnd() { hasEnded = true }
        override func closed(_ code: HTTP2ErrorCode) { closeCode = code.rawValue }

        private func text(_ bytes: Span<UInt8>) -> String {
            String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
        }
    }

    private(set) var session: HTTP2Session!
    var goAway: UInt32? { goAways.last }
    /// The codes of all that came.
    private(set) var goAways: [UInt32] = []
    /// Those of the server.
    private(set) var pings = 0
    /// Of ours, answered by the server.
    private(set) var answeredPings = 0
    private(set) var isClosedByServer = false
    /// The server has closed by RST of TCP.
    private(set) var wasReset = false
    /// All bytes that came.
    private(set) var received: [UInt8] = []
    private let descriptor: Int32
    private let address: SocketAddress

    /// Runs `body` on a thread that may block, with a fresh connection.
    static func run<Result: Sendable>(
        _ address: SocketAddress, settings: HTTP2Settings = .init(),
        _ body: @escaping @Sendable (RawPeer) throws -> Result
    ) async throws -> Result {
        try await BlockingPool.shared.run {
            Swift.Result {
                let peer = try RawPeer(address, settings)
                defer { peer.close() }
                return try body(peer)
            }
        }.get()
    }

    private init(_ address: SocketAddress, _ settings: HTTP2Settings) throws {
        guard case .ipv4(_, let port) = address else { preconditionFailure("raw peers speak IPv4") }
        self.address = address
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = unsafe withUnsafePointer(to: &target) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError.last("connect") }
        session = HTTP2Session(.client, settings: settings, delegate: self)
    }

    /// Another connection to the same server, which the caller closes.
    func another() throws -> RawPeer { try RawPeer(address, .init()) }

    /// Cuts the connection with whatever is under way.
    func close() {
        session.close(.cancel)
        Glibc.close(descriptor)
    }

    /// Submits a request; `fields` replaces or adds to those of a proper one.
    func request(
        _ path: String, _ fields: [String: String] = [:], message: [UInt8]? = nil, ends: Bool = true
    ) -> Stream {
        var all = [":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"]
        all["content-type"] = "application/grpc"
        all["te"] = "trailers"
        for (name, value) in fields { all[name] = value }
        var block = HeaderBlock()
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { block.append(name, value) }
        let stream = Stream()
        precondition(session.submitRequest(stream, block), "the session takes requests")
        if let message { stream.write(OutboundChunk(message)) }
        if ends { stream.finish() }
        return stream
    }

    /// Sends what is submitted.
    func flush() throws { try send(try session.produce()) }

    /// Sends these very bytes. A server that has closed the connection is no error.
    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                isClosedByServer = true
                wasReset = errno == ECONNRESET
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends and receives until `condition` holds or the server has closed; throws when nothing comes for 20 s.
    func exchange(until condition: () -> Bool) throws {
        while true {
            try flush()
            if condition() || isClosedByServer { return }
            let bytes = try receive()
            try session.receive(bytes.span)
        }
    }

    /// Receives until the server has closed, and sends nothing.
    func listen() throws {
        while !isClosedByServer { try hear() }
    }

    /// Receives some bytes, and sends nothing.
    func hear() throws {
        let bytes = try receive()
        try session.receive(bytes.span)
    }

    /// The frames of stream `id` that came, in words: `HEADERS`, `DATA 7`, `DATA 0 END`, `RESET 8`; of stream 0 only
    /// `GOAWAY last code`.
    func frames(of id: UInt32) -> [String] {
        var words: [String] = []
        var rest = received[...]
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            rest.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
        }
        while rest.count >= 9 {
            let (length, type, flags) = (number(0, 3), number(3, 1), number(4, 1))
            let end = flags & 1 == 1 ? " END" : ""
            if number(5, 4) == id {
                switch type {
                case 0: words.append("DATA \(length)\(end)")
                case 1: words.append("HEADERS\(end)")
                case 3: words.append("RESET \(number(9, 4))")
                case 7: words.append("GOAWAY \(number(9, 4)) \(number(13, 4))")
                default: break
                }
            }
            rest = rest.dropFirst(9 + Int(length))
        }
        return words
    }

    /// Sends a PING and returns when it is answered: what the server had to say before has come.
    func settle() throws {
        let before = answeredPings
        session.submitPing()
        try exchange { answeredPings > before }
    }

    /// Waits until the server has closed or reset the connection, without reading what it has sent; at most 20 s.
    func isHungUpUnread() -> Bool {
        // 0x2000 is POLLRDHUP of poll(2), which the Glibc module does not have.
        var poll = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        return unsafe Glibc.poll(&poll, 1, 20_000) == 1
    }

    /// Some bytes from the server; none when it has closed.
    func receive() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let capacity = bytes.count
        let count = unsafe recv(descriptor, &bytes, capacity, 0)
        if count == 0 || count < 0 && errno == ECONNRESET {
            isClosedByServer = true
            wasReset = count < 0
            return []
        }
        guard count > 0 else { throw SystemError.last("recv") }
        received += bytes[..<count]
        return Array(bytes[..<count])
    }

    func makeStream() -> HTTP2Stream { preconditionFailure("a client takes no streams") }
    func sessionHasOutput() {}
    func receivedSettings() {}
    func receivedPing() { pings += 1 }
    func receivedPingAcknowledgement() { answeredPings += 1 }
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) { goAways.append(code.rawValue) }
}
