/// Where a handler writes the messages of a streamed answer.
///
/// One writer at a time. The call ends when the handler returns or throws, not here.
public struct ResponseStream<Message: Sendable>: Sendable {
    private let call: any ServerCall
    private let encode: @Sendable (Message) throws -> [UInt8]

    public init(_ call: any ServerCall, _ coder: MessageCoder<Message>) {
        self.call = call
        encode = coder.encode
    }

    /// Sends one message. Suspends while the client does not keep up; throws `Status` when the call has ended.
    public func write(_ message: Message) async throws {
        try await call.send(try encode(message))
    }

    /// As `write`, and says whether this message is compressed when the call's messages are.
    public func write(_ message: Message, compressing: Bool) async throws {
        try await call.send(try encode(message), compressing: compressing)
    }

    /// Sends the messages of `sequence`, in order.
    public func write<Messages: AsyncSequence>(contentsOf sequence: Messages) async throws
    where Messages.Element == Message {
        for try await message in sequence { try await write(message) }
    }
}
