public import Limits

/// A call that passes everything on to another: the base of what a `ServerInterceptor` hands to `next` to see or change
/// messages and metadata. Override what you look at; `send` and `receive` in their long forms, to which the short ones
/// lead.
///
/// Subclasses are used from any thread, as every `ServerCall`.
open class ForwardingServerCall: ServerCall, @unchecked Sendable {
    /// @unchecked: this never changes; a subclass answers for what it adds.
    public let next: any ServerCall

    public init(_ next: any ServerCall) { self.next = next }

    open var path: String { next.path }
    open var metadata: Metadata { next.metadata }
    open var deadline: Deadline? { next.deadline }
    open var peer: Peer { next.peer }
    open var isCancelled: Bool { next.isCancelled }

    open func receiveMessage() async throws -> ReceivedMessage? { try await next.receiveMessage() }

    open func send(_ message: [UInt8], compressing: Bool) async throws {
        try await next.send(message, compressing: compressing)
    }

    open func setResponseEncoding(_ encoding: MessageEncoding) async throws {
        try await next.setResponseEncoding(encoding)
    }

    open func sendInitialMetadata(_ metadata: Metadata) async throws { try await next.sendInitialMetadata(metadata) }
    open func appendTrailingMetadata(_ metadata: Metadata) { next.appendTrailingMetadata(metadata) }
    open func carryOut(_ fault: TransportFault) async throws { try await next.carryOut(fault) }

    public final func send(_ message: [UInt8]) async throws { try await send(message, compressing: true) }
    public final func receive() async throws -> [UInt8]? { try await receiveMessage()?.bytes }
}
