/// The messages that a client streams to a handler, in order. Ends when the client has sent its last.
///
/// Iterate it once, from one task at a time. The client is held back (flow control) while nobody asks for the next
/// message. Throws `Status` when a message is unreadable or the call was cancelled.
public struct RequestStream<Message: Sendable>: AsyncSequence, Sendable {
    public typealias Element = Message
    public typealias Failure = any Error

    private let call: any ServerCall
    private let decode: @Sendable ([UInt8]) throws -> Message

    public init(_ call: any ServerCall, _ coder: MessageCoder<Message>) {
        self.call = call
        decode = coder.decode
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: call, decode: decode) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let call: any ServerCall
        fileprivate let decode: @Sendable ([UInt8]) throws -> Message

        public mutating func next() async throws -> Message? {
            guard let bytes = try await call.receive() else { return nil }
            return try decodeRequest(bytes, decode)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Message? {
            guard let bytes = try await call.receive() else { return nil }
            return try decodeRequest(bytes, decode)
        }
    }
}

/// A request that cannot be read is the client's fault, whatever the decoder says.
@inlinable
func decodeRequest<Message>(_ bytes: [UInt8], _ decode: ([UInt8]) throws -> Message) throws(Status) -> Message {
    do {
        return try decode(bytes)
    } catch let error as any StatusConvertible {
        throw error.status
    } catch let status as Status {
        throw status
    } catch {
        throw Status(.internal, "unreadable request message")
    }
}
