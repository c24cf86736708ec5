public import HTTP2
public import Limits
public import RPCCore

/// How a client channel connects, and its limits.
public struct ClientConfiguration: Sendable {
    public var http2 = HTTP2Settings()
    /// Of one response message, unless the call or its method's config says otherwise; checked when its prefix comes.
    public var maximumResponseBytes = 4 << 20
    /// For one address, from the first packet to the server's SETTINGS; longer while the back-off is longer.
    public var connectTimeout: Duration = .seconds(20)
    /// After this the next address is tried beside those that have not answered. Source: RFC 8305 section 5.
    public var connectStagger: Duration = .milliseconds(250)
    /// From the start of one failed round over the addresses to that of the next. Source: gRPC, "Connection Backoff
    /// Protocol".
    public var backoff = Backoff(initial: .seconds(1), factorPercent: 160, maximum: .seconds(120), jitterPercent: 20)
    /// The shortest time between two look-ups of the target's name.
    public var minimumResolutionInterval: Duration = .seconds(30)
    /// A loop without calls for this long (and up to a quarter longer) closes its connections; nil keeps them.
    public var idleTimeout: Duration? = .seconds(30 * 60)
    /// Pings that find out whether a silent connection still lives; nil sends none.
    public var keepalive: ClientKeepalive?
    /// Calls that may wait for a connection or for room on one, per loop; more fail with RESOURCE_EXHAUSTED.
    public var maximumWaitingCalls = 1024
    /// Request messages kept to be sent again, until the response begins: by one call, and by all calls of a loop.
    /// What does not fit is sent, but its call is not made again.
    public var retryBufferBytesPerCall = 256 << 10
    public var retryBufferBytesPerLoop = 16 << 20
    /// Balancing, time-outs, retries and health checks as the service's owner wants them.
    public var serviceConfig = ServiceConfig()
    /// Counts calls, attempts and connections; nil counts nothing.
    public var meter: (any RPCMeter)?
    /// What `:authority` says; nil takes it from the target.
    public var authority: String?

    public init() {}
}

/// When a connection is pinged. Source: gRFC A8.
public struct ClientKeepalive: Sendable, Hashable {
    /// Silence of the server after which it is pinged, at least 10 s. It doubles for the next connections when the
    /// server complains (GOAWAY with ENHANCE_YOUR_CALM and "too_many_pings").
    public let interval: Duration
    /// Silence after a ping that ends the connection with UNAVAILABLE.
    public let timeout: Duration
    /// Whether a connection without calls is pinged too; many servers forbid it.
    public let permitsWithoutCalls: Bool

    /// - Parameter interval: less than 10 s counts as 10 s.
    public init(interval: Duration, timeout: Duration = .seconds(20), permitsWithoutCalls: Bool = false) {
        self.init(exactly: max(interval, .seconds(10)), timeout: timeout, permitsWithoutCalls: permitsWithoutCalls)
    }

    /// For tests, which do not wait 10 s.
    package init(exactly interval: Duration, timeout: Duration, permitsWithoutCalls: Bool) {
        precondition(interval > .zero && timeout > .zero, "keepalive counts time")
        self.interval = interval
        self.timeout = timeout
        self.permitsWithoutCalls = permitsWithoutCalls
    }
}
