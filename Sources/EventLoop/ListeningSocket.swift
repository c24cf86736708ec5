internal import CLinux
internal import Glibc

/// A non-blocking socket that waits for connections. Owns the descriptor and, for a unix socket, its file.
///
/// Confine it to its loop's thread. The loop must have stopped watching it before it is closed.
public final class ListeningSocket {
    public let descriptor: Int32
    /// Where it really listens: a port 0 has become the port that the kernel chose.
    public let address: SocketAddress
    private var isOpen = true

    /// Binds and listens. A unix socket's file that nobody listens on any more is replaced.
    ///
    /// - Parameter backlog: connections that the kernel keeps until they are accepted.
    public init(at address: SocketAddress, backlog: Int32 = 1024) throws(SystemError) {
        descriptor = try StreamSocket.makeDescriptor(address.family)
        do throws(SystemError) {
            if case .unix(let path) = address {
                try Self.removeStaleFile(path)
            } else {
                var one: Int32 = 1
                unsafe setsockopt(
                    descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            }
            let descriptor = descriptor
            let bound = try unsafe address.withKernelForm { unsafe Glibc.bind(descriptor, $0, $1) }
            guard bound == 0 else { throw SystemError.last("bind \(address)") }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw SystemError.last("listen \(address)") }
            self.address = try Self.boundAddress(descriptor) ?? address
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    deinit { close() }

    /// The next connection and its peer, or nil when none waits.
    public func accept() throws(SystemError) -> (StreamSocket, SocketAddress)? {
        while true {
            let accepted = clinux_accept(descriptor)
            if accepted >= 0 {
                let socket = StreamSocket(taking: accepted)
                if address.family != AF_UNIX { socket.setNoDelay() }
                return (socket, Self.peerAddress(accepted) ?? .unix(path: ""))
            }
            let error = SystemError.last("accept")
            if error.wouldBlock { return nil }
            // The connection died in the queue: the next one may live.
            if error.code == EINTR || error.code == ECONNABORTED { continue }
            throw error
        }
    }

    /// Stops listening and removes a unix socket's file. Connections already accepted are not touched.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        if case .unix(let path) = address { unsafe unlink(path) }
        Glibc.close(descriptor)
    }

    private static func removeStaleFile(_ path: String) throws(SystemError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let probe = try StreamSocket.makeDescriptor(AF_UNIX)
        defer { Glibc.close(probe) }
        let connected = try unsafe SocketAddress.unix(path: path).withKernelForm { unsafe Glibc.connect(probe, $0, $1) }
        if connected == 0 || errno == EAGAIN { throw SystemError(call: "bind unix:\(path)", code: EADDRINUSE) }
        unsafe unlink(path)
    }

    private static func boundAddress(_ descriptor: Int32) throws(SystemError) -> SocketAddress? {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var storage = sockaddr_storage()
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw SystemError.last("getsockname") }
        return SocketAddress(kernelForm: storage, length: length)
    }

    private static func peerAddress(_ descriptor: Int32) -> SocketAddress? {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var storage = sockaddr_storage()
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getpeername(descriptor, $0, &length)
            }
        }
        // The peer may have gone already: the first read tells.
        return result == 0 ? SocketAddress(kernelForm: storage, length: length) : nil
    }
}
