/// When the load's orders arrive: evenly spaced, by the clock alone. However slow the system is, the next arrival comes
/// when it is due, so that a stall shows in the latency of all who had to wait ("coordinated omission" is avoided).
struct ArrivalSchedule: Sendable, Hashable {
    /// Arrivals per second, above zero.
    let rate: Int
    /// Arrivals in all.
    let count: Int

    init(rate: Int, seconds: Int) {
        precondition(rate > 0 && seconds >= 0, "arrivals have a rate")
        self.rate = rate
        count = rate * seconds
    }

    /// When arrival `index` is due, counted from the start.
    func offset(of index: Int) -> Duration {
        .seconds(index / rate) + .nanoseconds(Int64(index % rate) * 1_000_000_000 / Int64(rate))
    }
}
