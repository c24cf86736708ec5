public import HTTP2
public import Limits
public import RPCCore

/// How a client channel connects, and its limits.
public struct ClientConfiguration: Sendable {
    public var http2 = HTTP2Settings()
    /// Of one response message, unless the call says otherwise; checked when its prefix comes.
    public var maximumResponseBytes = 4 << 20
    /// From the first packet to the server's SETTINGS, for all addresses of the name together.
    public var connectTimeout: Duration = .seconds(20)
    /// Pauses between failed attempts to connect, counted from the second: the first retry comes after
    /// `firstRetryDelay`. Source: gRPC, "Connection Backoff Protocol".
    public var backoff = Backoff(initial: .seconds(1), factorPercent: 160, maximum: .seconds(120), jitterPercent: 20)
    public var firstRetryDelay: Duration = .milliseconds(100)
    /// Calls that may wait for a connection or for room on one, per loop; more fail with RESOURCE_EXHAUSTED.
    public var maximumWaitingCalls = 1024
    /// What `:authority` says; nil takes it from the target.
    public var authority: String?

    /// Counts calls and connections; nil counts nothing.
    public var meter: (any RPCMeter)?

    public init() {}
}
