/// The five bytes before each message on the wire: a flag and the length, most significant byte first.
///
/// Source: gRPC over HTTP/2, "Length-Prefixed-Message".
public struct MessagePrefix: Sendable, Hashable {
    public static let byteCount = 5

    public let isCompressed: Bool
    public let length: Int

    /// - Parameter length: of the message that follows, at most 2^32 - 1.
    public init(length: Int, isCompressed: Bool = false) {
        precondition(length >= 0 && length <= Int(UInt32.max), "a message has at most 4 GiB")
        self.length = length
        self.isCompressed = isCompressed
    }

    /// The byte at `index`, 0 to 4.
    public subscript(_ index: Int) -> UInt8 {
        index == 0 ? (isCompressed ? 1 : 0) : UInt8(truncatingIfNeeded: length >> ((4 - index) * 8))
    }

    public var bytes: [UInt8] { (0..<Self.byteCount).map { self[$0] } }
}

/// One message as it was on the wire, compressed or not.
public struct FramedMessage: Sendable, Hashable {
    public let isCompressed: Bool
    public let bytes: [UInt8]
}

/// What is wrong with a stream of framed messages.
public enum FramingError: Error, Hashable, StatusConvertible {
    /// The flag byte is neither 0 nor 1.
    case invalidFlag(UInt8)
    /// The prefix announces more than the limit; found before any byte of the message came.
    case messageTooLarge(length: Int, limit: Int)
    /// The stream ended inside a message.
    case truncated

    public var status: Status {
        switch self {
        case .invalidFlag(let flag): Status(.internal, "invalid compression flag \(flag)")
        case .messageTooLarge(let length, let limit):
            Status(.resourceExhausted, "message of \(length) bytes exceeds the limit of \(limit)")
        case .truncated: Status(.internal, "the stream ended inside a message")
        }
    }
}

/// Cuts a stream of bytes, given in any pieces, into messages. Pure; after an error it must not be used again.
///
/// A prefix alone reserves little: memory grows with the bytes that have come, never with what they announce.
public struct MessageDeframer: Sendable {
    public let maximumMessageBytes: Int

    private static let firstReservation = 16 << 10
    private var prefix: (flag: UInt8, length: UInt32) = (0, 0)
    private var prefixCount = 0
    private var body: [UInt8] = []

    /// What the message that has begun will have; 0 between messages.
    public var announcedBytes: Int { prefixCount == MessagePrefix.byteCount ? Int(prefix.length) : 0 }

    /// Bytes of a message, or of its prefix, have come, and others have not.
    public var isInsideMessage: Bool { prefixCount > 0 }

    public init(maximumMessageBytes: Int = 4 << 20) {
        self.maximumMessageBytes = maximumMessageBytes
    }

    /// Takes `bytes` and calls `deliver` for each message they complete, in order.
    public mutating func receive(
        _ bytes: Span<UInt8>, _ deliver: (FramedMessage) -> Void
    ) throws(FramingError) {
        var offset = 0
        while true {
            if prefixCount == 0, bytes.count - offset >= MessagePrefix.byteCount {
                prefix.flag = bytes[offset]
                prefix.length =
                    UInt32(bytes[offset + 1]) << 24 | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 8
                    | UInt32(bytes[offset + 4])
                offset += MessagePrefix.byteCount
                prefixCount = MessagePrefix.byteCount
                try checkPrefix()
            }
            while prefixCount < MessagePrefix.byteCount {
                guard offset < bytes.count else { return }
                try takePrefixByte(bytes[offset])
                offset += 1
            }
            let count = min(Int(prefix.length) - body.count, bytes.count - offset)
            if count > 0 { append(bytes.extracting(offset..<(offset + count))) }
            offset += count
            guard body.count == Int(prefix.length) else { return }
            deliver(FramedMessage(isCompressed: prefix.flag == 1, bytes: body))
            body = []
            prefixCount = 0
        }
    }

    /// Call when the stream has ended.
    public func finish() throws(FramingError) {
        guard prefixCount == 0 else { throw .truncated }
    }

    private mutating func takePrefixByte(_ byte: UInt8) throws(FramingError) {
        if prefixCount == 0 {
            prefix = (byte, 0)
            guard byte <= 1 else { throw .invalidFlag(byte) }
        } else {
            prefix.length = prefix.length << 8 | UInt32(byte)
        }
        prefixCount += 1
        if prefixCount == MessagePrefix.byteCount { try checkPrefix() }
    }

    private mutating func checkPrefix() throws(FramingError) {
        guard prefix.flag <= 1 else { throw .invalidFlag(prefix.flag) }
        let length = Int(prefix.length)
        guard length <= maximumMessageBytes else {
            throw .messageTooLarge(length: length, limit: maximumMessageBytes)
        }
        body.reserveCapacity(min(length, Self.firstReservation))
    }

    private mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
    }
}
