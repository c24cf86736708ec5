public import HTTP2
public import RPCCore

/// The limits of a server. The defaults are safe against the open network.
public struct ServerConfiguration: Sendable {
    public var http2 = HTTP2Settings()
    /// Of one request message; checked when its prefix comes.
    public var maximumRequestBytes = 4 << 20
    /// From the accepted connection to the client's SETTINGS.
    public var handshakeTimeout: Duration = .seconds(10)
    /// All connections of the server together; more are closed at once.
    public var maximumConnections = 10_000
    /// Handlers of one connection that may run at once. Above the limit of streams, since a reset ends a stream
    /// before its handler: without it, open-and-reset would start handlers without bound.
    public var maximumRunningHandlersPerConnection = 512

    /// Counts calls; nil counts nothing.
    public var meter: (any RPCMeter)?

    public init() {}
}
