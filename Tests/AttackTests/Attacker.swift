import Compression
import EventLoop
import Glibc

/// A client that keeps to no rule: it writes frames byte by byte on a blocking socket and notes what comes back.
final class Attacker {
    /// What the server said last.
    struct GoAway: Equatable {
        var code: UInt32
        var reason: String
    }

    private(set) var goAway: GoAway?
    private(set) var isDisconnected = false
    private(set) var headerFrames = 0
    private(set) var resets = 0
    /// What came, when the first bytes are not a frame's.
    private(set) var text = ""
    private var inbox: [UInt8] = []
    private let descriptor: Int32

    /// Runs `body` on a thread that may block.
    static func run<Result: Sendable>(
        _ port: UInt16, prefaced: Bool = true, _ body: @escaping @Sendable (Attacker) throws -> Result
    ) async throws -> Result {
        try await BlockingPool.shared.run {
            Swift.Result {
                let attacker = try Attacker(port)
                defer { attacker.close() }
                if prefaced { attacker.send(Self.preface) }
                return try body(attacker)
            }
        }.get()
    }

    private init(_ port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        // What the server does not take within this time is not sent; longer than any time limit of the server.
        var limit = timeval(tv_sec: 45, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, length)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, length)
        let result = unsafe withUnsafePointer(to: &target) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError.last("connect") }
    }

    func close() { Glibc.close(descriptor) }

    // MARK: Bytes

    /// Sends as long as the server takes it within a second, and reads nothing.
    func sendUnread(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty, !isDisconnected {
            var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard unsafe Glibc.poll(&poll, 1, 1000) == 1 else { return }
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            guard count > 0 else {
                isDisconnected = true
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Waits until the server has closed or reset the connection, without reading what it has sent.
    func isHungUp(within limit: Duration) -> Bool {
        // 0x2000 is POLLRDHUP of poll(2), which the Glibc module does not have.
        var poll = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        return unsafe Glibc.poll(&poll, 1, Int32(limit.components.seconds * 1000)) == 1
    }

    /// Sends as long as the server takes it, and looks at what has come meanwhile.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty, !isDisconnected {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                isDisconnected = errno != EAGAIN
                break
            }
            rest = rest.dropFirst(count)
        }
        while receive(Int32(MSG_DONTWAIT)) {}
    }

    /// Reads until the server has closed or `condition` holds; gives up after 45 s of silence.
    func listen(until condition: () -> Bool = { false }) {
        while !isDisconnected, !condition(), receive(0) {}
    }

    private func receive(_ flags: Int32) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let capacity = buffer.count
        let count = unsafe recv(descriptor, &buffer, capacity, flags)
        if count == 0 || count < 0 && errno == ECONNRESET { isDisconnected = true }
        guard count > 0 else { return false }
        inbox += buffer[..<count]
        if inbox.starts(with: "HTTP/1.".utf8) {
            text = String(decoding: inbox, as: UTF8.self)
        } else {
            takeFrames()
        }
        return true
    }

    private func takeFrames() {
        var start = 0
        while inbox.count - start >= 9 {
            let length = Int(inbox[start]) << 16 | Int(inbox[start + 1]) << 8 | Int(inbox[start + 2])
            guard inbox.count - start >= 9 + length else { break }
            let payload = inbox[(start + 9)..<(start + 9 + length)]
            switch inbox[start + 3] {
            case 1: headerFrames += 1
            case 3: resets += 1
            case 7 where length >= 8:
                let code = payload.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
                goAway = GoAway(code: code, reason: String(decoding: payload.dropFirst(8), as: UTF8.self))
            default: break
            }
            start += 9 + length
        }
        inbox.removeFirst(start)
    }

    // MARK: Frames

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags] + bytes(stream)
            + payload
    }

    static func bytes(_ word: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }

    /// The header block of a proper request, without compression (RFC 7541 section 6.2.2).
    static func requestBlock(_ path: String = "/echo.Echo/Unary", encoding: String? = nil) -> [UInt8] {
        func text(_ string: String) -> [UInt8] { [UInt8(string.utf8.count)] + Array(string.utf8) }
        var block: [UInt8] = [0x83, 0x86, 0x04] + text(path) + [0x01] + text("localhost")
        block += [0x0f, 0x10] + text("application/grpc")
        block += [0x00] + text("te") + text("trailers")
        if let encoding { block += [0x00] + text("grpc-encoding") + text(encoding) }
        return block
    }

    /// HEADERS that open a stream; flags: 4 ends the block, 1 the stream.
    static func open(_ stream: UInt32, _ flags: UInt8 = 4, encoding: String? = nil) -> [UInt8] {
        frame(1, flags, stream, requestBlock(encoding: encoding))
    }

    /// DATA of at most 16 KiB a frame.
    static func data(_ stream: UInt32, _ payload: [UInt8], ends: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        var rest = payload[...]
        repeat {
            let part = Array(rest.prefix(16 << 10))
            rest = rest.dropFirst(part.count)
            output += frame(0, ends && rest.isEmpty ? 1 : 0, stream, part)
        } while !rest.isEmpty
        return output
    }
}
