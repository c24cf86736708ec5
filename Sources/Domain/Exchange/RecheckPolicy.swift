/// When to look again, and when to give up.
public struct RecheckPolicy: Hashable, Sendable {
    /// The first wait; each next one is twice as long.
    public var initial: Duration
    /// No wait is longer, jitter aside.
    public var maximum: Duration
    /// Looks before the exchange is parked.
    public var maximumChecks: Int
    /// The greatest addition to a wait, in hundredths. Jitter only delays.
    public var jitterPercent: Int

    public init(
        initial: Duration = .seconds(30), maximum: Duration = .seconds(1920), maximumChecks: Int = 10,
        jitterPercent: Int = 10
    ) {
        precondition(initial > .zero && maximum >= initial && maximumChecks >= 0, "waits grow to a cap")
        precondition((0...100).contains(jitterPercent), "jitter is a share of the wait")
        self.initial = initial
        self.maximum = maximum
        self.maximumChecks = maximumChecks
        self.jitterPercent = jitterPercent
    }

    /// The wait before look number `check`, from 1.
    public func delay(beforeCheck check: Int, of exchange: ExchangeID) -> Duration {
        var delay = initial
        var doublings = 1
        while doublings < check, delay < maximum {
            delay = delay * 2
            doublings += 1
        }
        delay = min(delay, maximum)
        var hash = StableHash()
        hash.combine(exchange.text)
        hash.combine(Int64(check))
        return delay + delay * (Int(hash.bits % 1001) * jitterPercent) / 100_000
    }
}
