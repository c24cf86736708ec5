/// What this side announces, and the limits that protect it.
public struct HTTP2Settings: Sendable, Hashable {
    /// Streams that the peer may have open at once.
    public var maximumConcurrentStreams: UInt32 = 256
    /// Bytes of one stream's data that may be under way or not yet consumed.
    public var streamWindowBytes: UInt32 = 128 << 10
    /// The same for the connection. It is given back as data arrives: the streams' windows hold a peer back.
    public var connectionWindowBytes: Int32 = 4 << 20
    /// Names and values plus 32 bytes a field, as RFC 9113 section 6.5.2 counts. Announced and enforced: what is past it
    /// is dropped, and past four times of it the connection ends.
    public var headerListBytes: UInt32 = 16 << 10
    /// Resets by the peer, and resets by us that its errors provoke: a bucket of `resetBurst`, filled by
    /// `resetsPerSecond` (rapid reset, CVE-2023-44487; made-you-reset, CVE-2025-8671).
    public var resetBurst = 1000
    public var resetsPerSecond = 100
    /// Frames that carry nothing: SETTINGS, PING, PRIORITY, DATA without a byte.
    /// Below `maximumQueuedAcknowledgements`, so that it is this budget that says why.
    public var idleFrameBurst = 500
    public var idleFramesPerSecond = 100
    /// CONTINUATION frames after one HEADERS.
    public var maximumContinuations: Int = 8
    /// Answers to PING and SETTINGS that wait to be written.
    public var maximumQueuedAcknowledgements: Int = 1000

    public init() {}
}
