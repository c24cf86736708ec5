/// How the messages of one direction of a call are compressed. Source: gRPC, "Compression".
public enum MessageEncoding: String, Sendable, Hashable, CaseIterable {
    /// Not at all.
    case identity
    case gzip
    /// In the form of RFC 1950, as HTTP means it.
    case deflate
}

/// One message of a call, with what it was on the wire.
public struct ReceivedMessage: Sendable, Hashable {
    public let bytes: [UInt8]
    /// Bytes on the wire, without the prefix.
    public let wireByteCount: Int
    public let wasCompressed: Bool

    public init(bytes: [UInt8], wireByteCount: Int, wasCompressed: Bool) {
        self.bytes = bytes
        self.wireByteCount = wireByteCount
        self.wasCompressed = wasCompressed
    }
}
