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
    /// How long a client may leave everything unread that is sent to it.
    public var writeStallTimeout: Duration = .seconds(30)

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

    /// Counts calls; nil counts nothing.
    public var meter: (any RPCMeter)?

    public init() {}
}
