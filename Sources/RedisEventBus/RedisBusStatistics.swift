/// Counts of one bus object since it was made.
public struct RedisBusStatistics: Sendable, Hashable {
    /// Events that the server has confirmed.
    public var published = 0
    /// Events that a handler has consumed.
    public var consumed = 0
    /// Calls of handlers beyond an event's first here.
    public var retries = 0
    public var deadLetters = 0
    /// Entries that could not be read as events.
    public var unreadable = 0
    /// Events taken over that had been delivered before: to this consumer before a restart, or to one that died.
    public var recovered = 0
    /// Partitions taken, those taken again after a loss included.
    public var partitionsTaken = 0
    /// Partitions lost because a lease could not be renewed in time or another process has the same consumer name;
    /// not those given up for a new member's share.
    public var partitionsLost = 0
    /// Groups found missing, because the server had lost its data or the stream was deleted.
    public var groupsLost = 0
    /// Connections of consumers that broke or could not be made.
    public var interruptions = 0
}
