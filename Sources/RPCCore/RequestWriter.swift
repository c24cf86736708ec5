/// Where a client writes the messages of a streamed request. One writer at a time.
public struct RequestWriter<Message: Sendable>: Sendable {
    public let call: any ClientCall
    private let encode: @Sendable (Message) throws -> [UInt8]

    public init(_ call: any ClientCall, _ coder: MessageCoder<Message>) {
        self.call = call
        encode = coder.encode
    }

    /// Sends one message. Suspends while the server does not keep up; throws the call's `Status` once it has ended.
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

    /// Says that no message follows. Needed in a bidirectional call only: elsewhere the end of the scope says it.
    public func finish() async { await call.finishSending() }
}
