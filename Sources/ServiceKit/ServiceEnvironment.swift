public import Domain
public import EventLoop
public import Logging

/// What every service is given: where it runs, where it reports, and the sources of time and chance.
public struct ServiceEnvironment: Sendable {
    /// The loops of this process; handlers and clients live on them.
    public let group: EventLoopGroup
    public let log: Logger
    public let metrics: Metrics
    /// The time of this instant; a test moves it by hand.
    public let now: @Sendable () -> UnixTime
    /// 64 random bits; a test draws them from a seed.
    public let random: @Sendable () -> UInt64

    public init(
        group: EventLoopGroup, log: Logger, metrics: Metrics = Metrics(),
        now: @escaping @Sendable () -> UnixTime = { .now },
        random: @escaping @Sendable () -> UInt64 = {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
    ) {
        self.group = group
        self.log = log
        self.metrics = metrics
        self.now = now
        self.random = random
    }
}
