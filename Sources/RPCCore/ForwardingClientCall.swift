/// A call that passes everything on to another: the base of what a `ClientInterceptor` returns to see, change or answer
/// messages. Override what you look at; `send` and `receive` in their long forms, to which the short ones lead.
///
/// Subclasses are used from any thread, as every `ClientCall`.
open class ForwardingClientCall: ClientCall, @unchecked Sendable {
    /// @unchecked: this never changes; a subclass answers for what it adds.
    public let next: any ClientCall

    public init(_ next: any ClientCall) { self.next = next }

    open var peer: Peer { next.peer }
    open var trailingMetadata: Metadata { next.trailingMetadata }

    open func send(_ message: [UInt8], compressing: Bool) async throws {
        try await next.send(message, compressing: compressing)
    }

    open func finishSending() async { await next.finishSending() }
    open func initialMetadata() async throws -> Metadata { try await next.initialMetadata() }
    open func receiveMessage() async throws -> ReceivedMessage? { try await next.receiveMessage() }
    open func cancel() { next.cancel() }

    public final func send(_ message: [UInt8]) async throws { try await send(message, compressing: true) }
    public final func receive() async throws -> [UInt8]? { try await receiveMessage()?.bytes }
}
