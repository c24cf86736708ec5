public import Limits

/// One call as the server's transport offers it: bytes in, bytes out.
///
/// The transport ends the call when the handler returns or throws, and cancels the handler's task when the client has
/// gone, reset the stream, or the deadline has passed. Interceptors may pass on a call of their own that wraps another.
/// Every member may be used from any thread; on the call's own loop none of them hops.
public protocol ServerCall: AnyObject, Sendable {
    /// `/package.Service/Method`.
    var path: String { get }
    /// What the client sent before its messages, made when asked for.
    var metadata: Metadata { get }
    /// When the client stops waiting.
    var deadline: Deadline? { get }
    var peer: Peer { get }
    /// The client has gone or given up, or the deadline has passed: nobody will read the answer.
    var isCancelled: Bool { get }

    /// The next message, or nil when the client has sent its last. One waiter at a time.
    func receive() async throws -> [UInt8]?

    /// Sends one message; suspends while the client does not read (flow control). One sender at a time.
    func send(_ message: [UInt8]) async throws

    /// The next message with what it was on the wire; for whoever cares about compression. As `receive` otherwise.
    func receiveMessage() async throws -> ReceivedMessage?

    /// Compresses the messages that follow, if the client takes that encoding; otherwise they go as they are. Throws
    /// when the initial metadata was sent already, which names the encoding.
    func setResponseEncoding(_ encoding: MessageEncoding) async throws

    /// As `send`, and says whether this message is compressed when the call's messages are.
    func send(_ message: [UInt8], compressing: Bool) async throws

    /// Sends `metadata` ahead of the first message, at once. Throws when it, or a message, was sent already.
    func sendInitialMetadata(_ metadata: Metadata) async throws

    /// Adds to what goes with the status at the end.
    func appendTrailingMetadata(_ metadata: Metadata)

    /// Lets the call, or its connection, go wrong as told, now or further on in its answer; for tests of clients.
    /// Throws `TransportFaultError`.
    func carryOut(_ fault: TransportFault) async throws
}

/// For transports that do not compress, and have nothing below gRPC that could break.
extension ServerCall {
    public func receiveMessage() async throws -> ReceivedMessage? {
        try await receive().map { ReceivedMessage(bytes: $0, wireByteCount: $0.count, wasCompressed: false) }
    }

    public func setResponseEncoding(_ encoding: MessageEncoding) async throws {}

    public func send(_ message: [UInt8], compressing: Bool) async throws { try await send(message) }

    public func carryOut(_ fault: TransportFault) async throws {
        throw TransportFaultError.unsupported("there is no connection below this call")
    }
}
