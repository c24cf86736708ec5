import Domain

/// How many orders of unknown outcome may be sent again to a broker: a burst, and a rate. A broker that struggles is not
/// buried under repetitions.
///
/// Pure: time comes in as an argument. Confine it to one thread or guard it with a lock.
struct ResendBudget: Hashable, Sendable {
    private let capacity: Int64
    /// The time in which one resend becomes free.
    private let interval: Duration
    private var tokens: Int64
    private var refilledAt: UnixTime?

    /// - Parameters:
    ///   - burst: resends at once, at least 1.
    ///   - interval: between resends in the long run, above zero.
    init(burst: Int, interval: Duration) {
        precondition(burst >= 1 && interval > .zero, "a budget lets something through")
        capacity = Int64(burst)
        self.interval = interval
        tokens = capacity
    }

    /// Takes one resend; false when none is free at `now`.
    mutating func take(at now: UnixTime) -> Bool {
        refill(at: now)
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }

    private mutating func refill(at now: UnixTime) {
        guard let last = refilledAt else {
            refilledAt = now
            return
        }
        let free = (now - last) / interval
        guard free >= 1 else { return }
        let count = free < Double(capacity) ? Int64(free) : capacity
        tokens = min(capacity, tokens + count)
        refilledAt = count == capacity ? now : last + interval * Int(count)
    }
}
