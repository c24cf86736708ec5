public import EventLoop
internal import Limits
public import RPCCore

/// A channel to services in the same process, without sockets or HTTP/2: for tests of handlers, with the deadlines,
/// cancellation, metadata and back-pressure of a real call.
public struct InProcessChannel: RPCChannel {
    private let services: ServiceRegistry
    private let interceptors: [any ServerInterceptor]
    private let group: EventLoopGroup?
    private let maximumMessageBytes: Int

    /// - Parameters:
    ///   - group: whose loops run the handlers, as in a server; nil leaves them to the shared thread pool.
    ///   - maximumMessageBytes: of a request.
    public init(
        services: ServiceRegistry, interceptors: [any ServerInterceptor] = [], group: EventLoopGroup? = nil,
        maximumMessageBytes: Int = 4 << 20
    ) {
        self.services = services
        self.interceptors = interceptors
        self.group = group
        self.maximumMessageBytes = maximumMessageBytes
    }

    public var isConfidential: Bool { true }

    public func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        let exchange = InProcessExchange(path: path, options: options, maximumMessageBytes: maximumMessageBytes)
        if let deadline = exchange.deadline, deadline.hasPassed {
            throw Status(
                .deadlineExceeded, "in-process: the deadline had passed before the call", certainty: .notProcessed)
        }
        if Task.isCancelled {
            throw Status(.cancelled, "in-process: the call was cancelled", certainty: .notProcessed)
        }
        let method = services.methods[path]
        let interceptors = interceptors
        let loop = group?.nextInTurn
        exchange.run {
            guard let method else { return Status(.unimplemented, "unknown method \(path)") }
            let call = InProcessServerCall(exchange)
            let status =
                if let loop {
                    await loop.perform { await method.run(call, through: interceptors) }
                } else {
                    await method.run(call, through: interceptors)
                }
            await call.strikeInsteadOfStatus()
            return status
        }
        return InProcessClientCall(exchange)
    }
}
