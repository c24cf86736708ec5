internal import EventLoop

/// Waits until a socket that connects has become writable, which it also does when connecting failed.
///
/// Confined to the loop.
final class ConnectWait: ReadinessHandler {
    private let loop: EventLoop
    private let socket: StreamSocket
    private var timer: LoopTimer?
    private var continuation: CheckedContinuation<Bool, Never>?

    init(_ socket: StreamSocket, _ loop: EventLoop) {
        self.socket = socket
        self.loop = loop
    }

    /// False when it did not happen by `instant`, or was given up before.
    func wait(until instant: ContinuousClock.Instant) async throws -> Bool {
        loop.preconditionOnLoop()
        try loop.watch(socket.descriptor, for: .writable, handler: self)
        return await withCheckedContinuation { continuation in
            self.continuation = continuation
            timer = loop.schedule(at: instant) { [unowned self] in end(false) }
        }
    }

    func giveUp() { end(false) }

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
