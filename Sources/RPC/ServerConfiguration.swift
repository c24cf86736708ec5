public import HTTP2
public import RPCCore

/// The limits of a server. The defaults are safe against the open network.
public struct ServerConfiguration: Sendable {
    public var http2 = HTTP2Settings()
    /// Of one request message, also when decompressed; checked when its prefix comes.
    public var maximumRequestBytes = 4 << 20
    /// Set aside on each connection for request messages over 64 KiB that have begun and not been taken by a handler;
    /// others wait until there is room. One always fits.
    public var requestMemoryBytesPerConnection = 16 << 20
    /// Responses that one connection's client does not read; past this, its new calls fail with RESOURCE_EXHAUSTED.
    public var responseMemoryBytesPerConnection = 16 << 20

    /// From the accepted connection to the client's SETTINGS.
    public var handshakeTimeout: Duration = .seconds(10)
    /// From the first frame of a header block to its last.
    public var headerBlockTimeout: Duration = .seconds(10)
    /// How long a client may leave everything unread that is sent to it, or the responses past
    /// `responseMemoryBytesPerConnection`.
    public var writeStallTimeout: Duration = .seconds(30)
    /// How long a client may take for the next `requestStallBytes` of a message, or of the request of a method that takes
    /// one, unless it ends before, while its window is open; then the call fails with DEADLINE_EXCEEDED.
    public var requestStallTimeout: Duration = .seconds(30)
    /// Fewer bytes are no progress. The defaults ask for 546 bytes a second of whoever has begun a message, which bounds
    /// its whole time: 30 s up to this size, and 30 s more for each time this size.
    public var requestStallBytes = 16 << 10
    /// Requests that are oversized, malformed, bombs or not finished in time, and calls refused since responses are not
    /// read: a bucket of `badRequestBurst`, filled by `badRequestsPerSecond`. An unfinished one counts for each call that
    /// had to wait for its memory, too. Inflating a bomb up to the limit of a message takes about 10 ms: at most a second
    /// of one core at once, and then a tenth of it.
    public var badRequestBurst = 100
    public var badRequestsPerSecond = 10

    /// All connections of the server together; more are closed at once.
    public var maximumConnections = 10_000
    /// From one address; unix sockets have none.
    public var maximumConnectionsPerAddress = 1_000
    /// Handlers of one connection that may run at once. Above the limit of streams, since a reset ends a stream
    /// before its handler: without it, open-and-reset would start handlers without bound.
    public var maximumRunningHandlersPerConnection = 512

    /// A client that has sent nothing for this long is pinged; nil never pings. Source of these four: gRFC A8.
    public var keepaliveTime: Duration? = .seconds(7200)
    /// A client that has sent nothing for this long after the ping is given up.
    public var keepaliveTimeout: Duration = .seconds(20)
    /// A client that pings more often, without calls or answers in between, is disconnected at the third time.
    public var minimumPingInterval: Duration = .seconds(300)
    /// Whether a client without calls may ping every `minimumPingInterval`; otherwise every two hours.
    public var permitsPingsWithoutCalls = false

    /// A connection without calls for this long is left; nil never. Source of these three: gRFC A9.
    public var maximumConnectionIdle: Duration? = .seconds(900)
    /// A connection is left after this long, more or less by a tenth at random; nil never.
    public var maximumConnectionAge: Duration?
    /// What calls get to end in, when a connection is left.
    public var connectionAgeGrace: Duration = .seconds(30)

    /// The most that a fault lasts which a handler or the program has asked for (`TransportFault`, `ConnectionFault`).
    public var faultLimit: Duration = .seconds(300)

    /// Told of each connection that was refused, on a loop: it must not block.
    public var onRefusedConnection: (@Sendable (RefusedConnection) -> Void)?

    /// Counts calls; nil counts nothing.
    public var meter: (any RPCMeter)?

    public init() {}
}
