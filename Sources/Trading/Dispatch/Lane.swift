import Domain
import EventLoop
import Limits
import Logging
import Postgres
import ServiceKit
import Synchronization

/// Does the due work of one lane: takes no more than it has room for, each piece under a lease, in a pool of its own.
struct Lane: Sendable {
    let lane: WorkItem.Lane
    /// Pieces of work under way at most.
    let concurrency: Int
    let ledger: Ledger
    let wakeUp: WakeUp
    /// Does one piece. What it throws is logged; the lease brings the piece back.
    let work: @Sendable (ClaimedWork) async throws -> Void

    /// Works until cancelled. Work under way is cancelled too; its leases run out and others take it up.
    func run() async {
        let active = ActiveCount()
        let gauge = ledger.environment.metrics.gauge(
            "meridian_trading_lane_active", help: "Work under way.", labels: ["lane": lane.rawValue])
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let room = concurrency - active.value
                let items = room > 0 ? await take(room) : []
                active.add(items.count)
                gauge.set(active.value)
                for item in items {
                    group.addTask {
                        await perform(item)
                        active.add(-1)
                        wakeUp.wake()
                    }
                }
                // As long as there is room and there was work, there may be more.
                if items.isEmpty || items.count == room { await wakeUp.wait(atMost: ledger.configuration.pollInterval) }
            }
        }
    }

    private func take(_ room: Int) async -> [ClaimedWork] {
        let now = ledger.environment.now()
        do {
            return try await ledger.postgres.query(
                ClaimWork(
                    lane: lane, now: now, leaseUntil: now + ledger.configuration.lease, limit: room,
                    holder: ledger.configuration.instance))
        } catch {
            if !Task.isCancelled {
                ledger.environment.log.warning(
                    "work.take_failed", metadata: ["lane": "\(lane.rawValue)", "error": "\(error)"])
            }
            return []
        }
    }

    private func perform(_ claimed: ClaimedWork) async {
        let trace = TraceContext(traceparent: claimed.item.traceparent)?.child(random: ledger.environment.random())
        await TraceContext.$current.withValue(trace) {
            do {
                try await work(claimed)
            } catch {
                guard !Task.isCancelled else { return }
                ledger.environment.log.error(
                    "work.failed",
                    metadata: [
                        "key": "\(claimed.item.key)", "kind": "\(claimed.item.kind.rawValue)",
                        "order_id": "\(claimed.item.order)", "error": "\(error)",
                    ])
            }
        }
    }
}

/// Pieces of work under way.
private final class ActiveCount: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ difference: Int) { count.wrappingAdd(difference, ordering: .relaxed) }
}
