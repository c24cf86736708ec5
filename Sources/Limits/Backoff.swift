/// Growing delays between attempts: exponential, capped, with jitter.
///
/// Pure: the random part comes in as an argument, so that a replay gives the same schedule.
public struct Backoff: Sendable, Hashable {
    /// The delay after the first attempt, before jitter.
    public let initial: Duration
    /// The factor between consecutive delays, in hundredths: 160 means 1.6 times.
    public let factorPercent: Int
    /// No delay is longer than this, jitter aside.
    public let maximum: Duration
    /// The greatest deviation to either side, in hundredths of the delay, 0 to 100.
    public let jitterPercent: Int

    public init(initial: Duration, factorPercent: Int = 200, maximum: Duration, jitterPercent: Int = 20) {
        precondition(initial > .zero && maximum >= initial && factorPercent >= 100, "a backoff grows")
        precondition((0...100).contains(jitterPercent), "jitter is a share of the delay")
        self.initial = initial
        self.factorPercent = factorPercent
        self.maximum = maximum
        self.jitterPercent = jitterPercent
    }

    /// The delay before attempt `attempt + 1`, where `attempt` counts from 1.
    ///
    /// - Parameter random: any 64 bits; the same bits give the same delay.
    public func delay(afterAttempt attempt: Int, random: UInt64) -> Duration {
        precondition(attempt >= 1, "attempts count from 1")
        var delay = initial
        for _ in 1..<attempt where delay < maximum { delay = delay * factorPercent / 100 }
        delay = min(delay, maximum)
        let permille = Int(random % 2001) - 1000  // -1000 ... 1000
        return delay + delay * (permille * jitterPercent) / 100_000
    }
}
