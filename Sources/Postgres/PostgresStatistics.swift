/// What the pools of a client do at one moment, and what they counted since the start.
public struct PostgresStatistics: Sendable, Hashable {
    public internal(set) var idle = 0
    public internal(set) var busy = 0
    public internal(set) var connecting = 0
    /// Callers that wait for a connection.
    public internal(set) var waiting = 0
    /// Connections made since the start.
    public internal(set) var opened = 0
    /// Attempts to connect that failed since the start.
    public internal(set) var failedAttempts = 0
    /// Callers refused because the queue was full.
    public internal(set) var refused = 0
    /// Callers whose time passed while they waited for a connection.
    public internal(set) var waitTimeouts = 0

    static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.idle += b.idle
        sum.busy += b.busy
        sum.connecting += b.connecting
        sum.waiting += b.waiting
        sum.opened += b.opened
        sum.failedAttempts += b.failedAttempts
        sum.refused += b.refused
        sum.waitTimeouts += b.waitTimeouts
        return sum
    }
}
