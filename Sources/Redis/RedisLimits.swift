public import Limits

/// What one client may use and how long it may wait.
public struct RedisLimits: Sendable, Hashable {
    /// The longest wait for an answer, even when `Deadline.current` is later.
    public var commandTimeout: Duration = .seconds(2)
    /// Commands that wait for a connection or an answer on one loop; the next is refused with `queueFull`. Also the
    /// greatest length of a pipeline. At least 1.
    public var inFlightPerLoop = 8192
    /// Bytes of commands that wait to be sent on one loop; the next command is refused with `queueFull`. Also the
    /// greatest size of one command or pipeline.
    public var unsentBytesPerLoop = 64 << 20
    /// Bytes of one answer; a larger one ends the connection.
    public var replyBytes = 64 << 20
    /// Connections of `withDedicatedConnection` at a time, for the whole client.
    public var dedicatedConnections = 64
    /// The longest time for making one connection.
    public var connectTimeout: Duration = .seconds(2)
    /// A connection whose oldest command is unanswered for longer is given up and made anew.
    public var stallTimeout: Duration = .seconds(10)
    /// Delays between attempts to connect while the server is away. Commands fail at once meanwhile.
    public var reconnect = Backoff(initial: .milliseconds(20), maximum: .seconds(1))

    public init() {}
}
