internal import Synchronization

/// Code that runs around every call of a client: credentials, traces, metrics.
public protocol ClientInterceptor: Sendable {
    /// Starts the call through `next`, with these options or changed ones. It may return a `ForwardingClientCall` around
    /// the one it got, to see the messages; `ObservedCall` sees the end.
    func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall
}

extension RPCChannel {
    /// This channel with `interceptors` around each call, the first outermost.
    public func intercepted(by interceptors: [any ClientInterceptor]) -> any RPCChannel {
        interceptors.reversed().reduce(self as any RPCChannel) { InterceptedChannel(next: $0, interceptor: $1) }
    }
}

private struct InterceptedChannel: RPCChannel {
    let next: any RPCChannel
    let interceptor: any ClientInterceptor

    var isConfidential: Bool { next.isConfidential }

    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        try await interceptor.startCall(path, options: options, next: next)
    }
}

/// A call that reports once how it ended.
public final class ObservedCall: ClientCall {
    private let call: any ClientCall
    private let onEnd: Mutex<(@Sendable (Status) -> Void)?>

    /// - Parameter onEnd: called once, on the thread that learns of the end; CANCELLED when the caller left early.
    public init(_ call: any ClientCall, onEnd: @escaping @Sendable (Status) -> Void) {
        self.call = call
        self.onEnd = Mutex(onEnd)
    }

    deinit { report(Status(.cancelled, "the call was abandoned")) }

    public var peer: Peer { call.peer }
    public var trailingMetadata: Metadata { call.trailingMetadata }

    public func send(_ message: [UInt8]) async throws { try await reporting { try await call.send(message) } }
    public func finishSending() async { await call.finishSending() }
    public func initialMetadata() async throws -> Metadata { try await reporting { try await call.initialMetadata() } }

    public func receive() async throws -> [UInt8]? {
        let message = try await reporting { try await call.receive() }
        if message == nil { report(.ok) }
        return message
    }

    public func receiveMessage() async throws -> ReceivedMessage? {
        let message = try await reporting { try await call.receiveMessage() }
        if message == nil { report(.ok) }
        return message
    }

    public func send(_ message: [UInt8], compressing: Bool) async throws {
        try await reporting { try await call.send(message, compressing: compressing) }
    }

    public func cancel() {
        call.cancel()
        report(Status(.cancelled, "the caller left the call"))
    }

    private func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let ended as CallEnded {
            throw ended  // How it ended, the reader learns.
        } catch {
            report(Status(describing: error))
            throw error
        }
    }

    private func report(_ status: Status) {
        let action = onEnd.withLock { action in
            defer { action = nil }
            return action
        }
        action?(status)
    }
}
