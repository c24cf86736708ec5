internal import CLinux
internal import Glibc

/// What one attempt to read gave.
public enum ReadOutcome: Hashable, Sendable {
    /// At least one byte came.
    case bytes(Int)
    /// Nothing is there; wait until the descriptor is readable.
    case wouldBlock
    /// The peer has finished sending.
    case endOfStream
}

/// A connected, or connecting, non-blocking stream socket (TCP or unix). Owns the descriptor and closes it once.
///
/// Confine it to its loop's thread. The loop must have stopped watching it before it is closed.
public final class StreamSocket: @unchecked Sendable {
    // @unchecked: used by one thread at a time; it changes threads only before it is watched, through a loop's queue.
    public let descriptor: Int32
    private var isOpen = true

    init(taking descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Starts to connect. The socket becomes writable when that has ended; then `finishConnecting` tells how.
    public static func connecting(to address: SocketAddress) throws(SystemError) -> StreamSocket {
        let descriptor = try makeDescriptor(address.family)
        let socket = StreamSocket(taking: descriptor)
        if address.family != AF_UNIX { socket.setNoDelay() }
        let result = try unsafe address.withKernelForm { unsafe Glibc.connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw SystemError.last("connect") }
        return socket
    }

    /// Throws the error with which connecting failed. Call when the socket has become writable.
    public func finishConnecting() throws(SystemError) {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard result == 0 else { throw SystemError.last("getsockopt") }
        guard code == 0 else { throw SystemError(call: "connect", code: code) }
    }

    /// Makes `close` drop what the kernel has not sent and reset the connection, for a peer that does not read: otherwise
    /// the kernel would keep it all for as long as the peer is there.
    public func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        // It fails for unix sockets only, where closing is at once anyway.
        _ = unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> ReadOutcome {
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            if errno == EINTR { continue }
            let error = SystemError.last("recv")
            guard error.wouldBlock else { throw error }
            return .wouldBlock
        }
    }

    /// Sends what the kernel takes and returns the number of bytes, 0 when it takes none now.
    public func send(_ buffer: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let count = unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            if errno == EINTR { continue }
            let error = SystemError.last("send")
            guard error.wouldBlock else { throw error }
            return 0
        }
    }

    /// Tells the peer that nothing follows.
    public func shutDownWriting() { Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

    public func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }

    func setNoDelay() {
        var one: Int32 = 1
        // Fails only on a socket that is no TCP socket or already dead; the next read tells.
        unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    static func makeDescriptor(_ family: Int32) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(family, type, 0)
        guard descriptor >= 0 else { throw SystemError.last("socket") }
        return descriptor
    }
}
