/// The messages of a streamed response, in order. Ends when the call has ended with OK; throws its `Status` otherwise.
///
/// Iterate it once, from one task at a time. The server is held back (flow control) while nobody asks for the next.
public struct ResponseSequence<Message: Sendable>: AsyncSequence, Sendable {
    public typealias Element = Message
    public typealias Failure = any Error

    public let call: any ClientCall
    private let decode: @Sendable ([UInt8]) throws -> Message

    public init(_ call: any ClientCall, _ coder: MessageCoder<Message>) {
        self.call = call
        decode = coder.decode
    }

    /// What the server sent before its messages.
    public func initialMetadata() async throws -> Metadata { try await call.initialMetadata() }

    /// What came with the status; empty before the end.
    public var trailingMetadata: Metadata { call.trailingMetadata }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: call, decode: decode) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let call: any ClientCall
        fileprivate let decode: @Sendable ([UInt8]) throws -> Message

        public mutating func next() async throws -> Message? {
            guard let bytes = try await call.receive() else { return nil }
            return try decodeResponse(bytes, decode)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Message? {
            guard let bytes = try await call.receive() else { return nil }
            return try decodeResponse(bytes, decode)
        }
    }
}
