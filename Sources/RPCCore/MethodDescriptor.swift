/// How many messages go each way.
public enum CallShape: Sendable, Hashable {
    case unary, clientStreaming, serverStreaming, bidirectional

    /// Whether the client sends exactly one message.
    public var hasSingleRequest: Bool { self == .unary || self == .serverStreaming }
    /// Whether the server sends exactly one message (when the call succeeds).
    public var hasSingleResponse: Bool { self == .unary || self == .clientStreaming }
}

/// How one message type becomes bytes and back. Generated code makes it from the message's own functions.
public struct MessageCoder<Message: Sendable>: Sendable {
    public let decode: @Sendable ([UInt8]) throws -> Message
    public let encode: @Sendable (Message) throws -> [UInt8]

    public init(
        decode: @escaping @Sendable ([UInt8]) throws -> Message,
        encode: @escaping @Sendable (Message) throws -> [UInt8]
    ) {
        self.decode = decode
        self.encode = encode
    }
}

extension MessageCoder where Message == [UInt8] {
    /// Bytes as they are, for calls whose type is known only at run time.
    public static let raw = MessageCoder(decode: { $0 }, encode: { $0 })
}

/// One method: its path, its shape and the coding of its messages.
public struct MethodDescriptor<Request: Sendable, Response: Sendable>: Sendable {
    /// `/package.Service/Method`, as on the wire.
    public let path: String
    public let shape: CallShape
    public let request: MessageCoder<Request>
    public let response: MessageCoder<Response>

    /// - Parameter service: with its package, such as `meridian.account.v1.AccountService`.
    public init(
        service: String, method: String, shape: CallShape, request: MessageCoder<Request>,
        response: MessageCoder<Response>
    ) {
        self.path = "/\(service)/\(method)"
        self.shape = shape
        self.request = request
        self.response = response
    }
}
