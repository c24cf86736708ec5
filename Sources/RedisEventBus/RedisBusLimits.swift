public import EventBus
public import Limits

/// What a bus on Redis Streams keeps, and how it works.
public struct RedisBusLimits: Sendable {
    /// Events kept per topic, about: when a topic grows longer, its oldest events go, **consumed or not**. It bounds
    /// the server's memory; watch `RedisEventBus.backlog` so that it is never met.
    public var topicLength = 1_000_000
    /// Dead letters kept per topic, about.
    public var deadLetterLength = 100_000
    /// Events written in one round trip.
    public var publishBatch = 256
    /// Events read in one round trip, from each partition.
    public var readBatch = 128
    /// How long a read waits for new events. Also how soon a change of the group's consumers is noticed.
    public var readWait: Duration = .seconds(1)
    /// Handlers of one consumer that run at a time, each on another key.
    public var handlersAtOnce = 64
    /// How long a consumer that died keeps its partitions, unless one of the same name comes back. At least 1 s.
    public var leaseTime: Duration = .seconds(6)
    /// What happens when a handler throws.
    public var policy = DeliveryPolicy()
    /// Delays between attempts while the server is away.
    public var reconnect = Backoff(initial: .milliseconds(20), maximum: .seconds(1))

    public init() {}
}
