/// Counts since the client was made, and what is under way now.
public struct RedisStatistics: Sendable, Hashable {
    /// Commands submitted, those of pipelines one by one.
    public var commands = 0
    /// Calls refused because the queue was full.
    public var refusals = 0
    public var connectionsMade = 0
    public var connectionsLost = 0
    public var failedConnects = 0
    /// Commands that wait for a connection or an answer now.
    public var inFlight = 0

    public static func + (a: RedisStatistics, b: RedisStatistics) -> RedisStatistics {
        var sum = a
        sum.commands += b.commands
        sum.refusals += b.refusals
        sum.connectionsMade += b.connectionsMade
        sum.connectionsLost += b.connectionsLost
        sum.failedConnects += b.failedConnects
        sum.inFlight += b.inFlight
        return sum
    }
}
