internal import EventLoop

/// Waits until a socket that connects has become writable, which it also does when connecting failed.
///
/// Confined to the loop.
final class ConnectWait: ReadinessHandler {
    private let loop: EventLoop
    private let socket: StreamSocket
    private var timer: LoopTimer?
    private var continuation: CheckedContinuation<Bool, Never>?

    private init(_ socket: StreamSocket, _ loop: EventLoop) {
        self.socket = socket
        self.loop = loop
    }

    /// False when it did not happen by `instant`.
    static func wait(for socket: StreamSocket, on loop: EventLoop, by instant: ContinuousClock.Instant) async throws
        -> Bool
    {
        loop.preconditionOnLoop()
        let wait = ConnectWait(socket, loop)
        try loop.watch(socket.descriptor, for: .writable, handler: wait)
        return await withCheckedContinuation { continuation in
            wait.continuation = continuation
            wait.timer = loop.schedule(at: instant) { wait.end(false) }
        }
    }

    func ready(_ readiness: Readiness) { end(true) }

    private func end(_ connected: Bool) {
        guard let continuation else { return }
        self.continuation = nil
        if let timer { loop.cancel(timer) }
        timer = nil
        loop.unwatch(socket.descriptor)
        continuation.resume(returning: connected)
    }
}
