/// A token bucket for frames that cost this side more than the peer: a burst at once, then a steady rate.
///
/// Pure: time comes in as nanoseconds of one monotonic clock.
public struct FrameBudget: Sendable, Hashable {
    public let burst: Int
    public let perSecond: Int
    private var tokens: Int
    private var filledAt: Int64?

    /// - Parameters:
    ///   - burst: frames at once, at least 1.
    ///   - perSecond: frames that are given back each second, at least 1.
    public init(burst: Int, perSecond: Int) {
        precondition(burst >= 1 && perSecond >= 1, "a budget lets something through")
        self.burst = burst
        self.perSecond = perSecond
        tokens = burst
    }

    /// Takes `count` tokens; false when so many are not left.
    public mutating func charge(_ count: Int = 1, at now: Int64) -> Bool {
        refill(at: now)
        guard tokens >= count else { return false }
        tokens -= count
        return true
    }

    private mutating func refill(at now: Int64) {
        guard let last = filledAt else {
            filledAt = now
            return
        }
        let interval = max(1, 1_000_000_000 / Int64(perSecond))
        let count = (now - last) / interval
        guard count > 0 else { return }
        filledAt = last + count * interval
        tokens = Int(min(Int64(burst), Int64(tokens) + min(count, Int64(burst))))
    }
}
