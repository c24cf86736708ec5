internal import EventLoop

/// Accepts connections on one loop and hands them out.
///
/// @unchecked: touched on the loop's thread only, except `address`, which never changes.
final class Listener: ReadinessHandler, @unchecked Sendable {
    let address: SocketAddress
    let loop: EventLoop
    private let socket: ListeningSocket
    private let onAccept: (StreamSocket, SocketAddress) -> Void
    private var pause: LoopTimer?
    private var isClosed = false

    /// How long nothing is accepted when the process is out of descriptors: without it, the loop would spin.
    private static let pauseAfterError = Duration.milliseconds(100)
    private static let acceptsPerPass = 64

    init(
        _ socket: ListeningSocket, loop: EventLoop,
        onAccept: @escaping (StreamSocket, SocketAddress) -> Void
    ) {
        address = socket.address
        self.loop = loop
        self.socket = socket
        self.onAccept = onAccept
    }

    func start() throws(SystemError) { try loop.watch(socket.descriptor, for: .readable, handler: self) }

    func ready(_ readiness: Readiness) {
        do throws(SystemError) {
            for _ in 0..<Self.acceptsPerPass {
                guard let (accepted, peer) = try socket.accept() else { return }
                onAccept(accepted, peer)
            }
        } catch {
            loop.unwatch(socket.descriptor)
            pause = loop.schedule(at: .now + Self.pauseAfterError) { [unowned self] in
                pause = nil
                // Watching fails only for want of kernel memory; then wait again.
                do throws(SystemError) { try start() } catch { ready([]) }
            }
        }
    }

    func close() {
        loop.preconditionOnLoop()
        guard !isClosed else { return }
        isClosed = true
        if let pause { loop.cancel(pause) }
        loop.unwatch(socket.descriptor)
        socket.close()
    }
}
