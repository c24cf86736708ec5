/// The server has answered with OK and reads no more messages. Thrown to a writer; the reader gets the answer.
public struct CallEnded: Error, Hashable, StatusConvertible {
    public init() {}
    public var status: Status { Status(.cancelled, "the server has already ended the call") }
}

/// One call as the client's transport offers it: bytes out, bytes in.
///
/// Every error is a `Status`, but for `CallEnded` at `send`. Every member may be used from any thread; on the call's own loop none of them hops.
/// Cancelling a task that waits in `send`, `receive` or `initialMetadata` cancels the call.
public protocol ClientCall: AnyObject, Sendable {
    var peer: Peer { get }

    /// Sends one message; suspends while the server does not read (flow control). One sender at a time.
    func send(_ message: [UInt8]) async throws

    /// Says that no message follows. Does nothing the second time or after the end.
    func finishSending() async

    /// What the server sent before its messages; empty when it sent only a status.
    func initialMetadata() async throws -> Metadata

    /// The next message; nil when the call has ended with OK; throws its status otherwise. One waiter at a time.
    func receive() async throws -> [UInt8]?

    /// The next message with what it was on the wire; for whoever cares about compression. As `receive` otherwise.
    func receiveMessage() async throws -> ReceivedMessage?

    /// As `send`, and says whether this message is compressed when the call's messages are (`CallOptions.encoding`).
    func send(_ message: [UInt8], compressing: Bool) async throws

    /// What came with the status; empty before the end.
    var trailingMetadata: Metadata { get }

    /// Ends the call at once, telling the server (RST_STREAM CANCEL). Does nothing after the end.
    func cancel()
}

/// For transports that do not compress.
extension ClientCall {
    public func receiveMessage() async throws -> ReceivedMessage? {
        try await receive().map { ReceivedMessage(bytes: $0, wireByteCount: $0.count, wasCompressed: false) }
    }

    public func send(_ message: [UInt8], compressing: Bool) async throws { try await send(message) }
}
