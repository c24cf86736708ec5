internal import EventLoop
internal import Limits

/// Waits until a connecting socket is writable, which is also how a failed attempt ends. Confined to the loop.
final class ConnectAttempt: ReadinessHandler {
    private let loop: EventLoop
    private let socket: StreamSocket
    private var timer: LoopTimer?
    private var continuation: CheckedContinuation<Bool, Never>?

    private init(_ socket: StreamSocket, _ loop: EventLoop) {
        self.socket = socket
        self.loop = loop
    }

    /// Connects to the first address of `endpoint` that answers before `deadline`. On the loop.
    static func open(
        _ endpoint: RedisEndpoint, on loop: EventLoop, by deadline: Deadline
    ) async throws(RedisError) -> StreamSocket {
        var failure = "no address"
        do {
            for address in try await endpoint.addresses() {
                do {
                    let socket = try StreamSocket.connecting(to: address)
                    try await ConnectAttempt(socket, loop).finish(by: deadline)
                    return socket
                } catch let error as RedisError {
                    throw error  // The time is up for the other addresses, too.
                } catch {
                    failure = "\(error)"
                }
            }
        } catch let error as RedisError {
            throw error
        } catch {
            failure = "\(error)"
        }
        throw RedisError(.unavailable, "no connection to \(endpoint): \(failure)")
    }

    private func finish(by deadline: Deadline) async throws {
        try loop.watch(socket.descriptor, for: .writable, handler: self)
        let isWritable = await withCheckedContinuation { continuation in
            self.continuation = continuation
            timer = loop.schedule(at: deadline) { self.end(false) }
        }
        guard isWritable else { throw RedisError(.unavailable, "connecting took too long") }
        try socket.finishConnecting()
    }

    func ready(_ readiness: Readiness) { end(true) }

    private func end(_ isWritable: Bool) {
        guard let continuation else { return }
        self.continuation = nil
        if let timer { loop.cancel(timer) }
        timer = nil
        loop.unwatch(socket.descriptor)
        continuation.resume(returning: isWritable)
    }
}
