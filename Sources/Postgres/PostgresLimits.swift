public import Limits

/// What one client may use and how long it may wait. Every loop of the group has a pool of its own.
public struct PostgresLimits: Sendable, Hashable {
    /// Connections of one loop, at least 1. Times the loops, times the processes, below the server's `max_connections`.
    public var connectionsPerLoop = 4
    /// Callers of one loop that may wait for a connection; the next is refused with `poolExhausted`.
    public var waitersPerLoop = 256
    /// The longest wait for a free connection, even when the deadline is later.
    public var connectionWait: Duration = .seconds(5)
    /// The longest wait for the answer to one statement or pipeline, even when the deadline is later.
    public var statementTimeout: Duration = .seconds(30)
    /// The longest time for making one connection.
    public var connectTimeout: Duration = .seconds(5)
    /// A connection that was idle for longer is asked for a sign of life before it is used.
    public var idleCheck: Duration = .seconds(30)
    /// Prepared statements kept per connection, at least 1.
    public var preparedStatementsPerConnection = 256
    /// Bytes of parameters in one statement.
    public var statementBytes = 16 << 20
    /// Statements in one pipeline.
    public var pipelineLength = 1024
    /// Notifications kept for a slow reader before the oldest are dropped.
    public var notificationBuffer = 256
    /// Delays between attempts to connect while the server is away.
    public var reconnect = Backoff(initial: .milliseconds(20), maximum: .seconds(1))

    public init() {}
}
