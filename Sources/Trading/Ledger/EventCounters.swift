import ServiceKit
import Synchronization

/// How often each kind of event was recorded by this process.
final class EventCounters: Sendable {
    private let metrics: Metrics
    private let counters = Mutex<[String: Counter]>([:])

    init(_ metrics: Metrics) { self.metrics = metrics }

    func increment(_ kind: String) {
        let counter = counters.withLock { counters in
            if let known = counters[kind] { return known }
            let made = metrics.counter(
                "meridian_trading_order_events_total", help: "Recorded order events by kind.", labels: ["kind": kind])
            counters[kind] = made
            return made
        }
        counter.increment()
    }
}
