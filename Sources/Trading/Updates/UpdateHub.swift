import Domain
import Limits
import Logging
import Postgres
import ServiceKit
import Synchronization

/// Shows every change of every order to whoever subscribes: one reader for the process, and nothing kept for a
/// subscriber but its position. Who falls behind the recent updates in memory reads the table.
final class UpdateHub: Sendable {
    private struct State {
        /// Recent updates, oldest first; complete after `floor`.
        var recent: [OrderView] = []
        /// Every update after this position is in `recent`.
        var floor: Int64
        /// The last position that the reader has reached; nil until it has found its start.
        var head: Int64?
        var subscribers: [UInt64: WakeUp] = [:]
        var lastSubscriber: UInt64 = 0
    }

    /// What a subscriber may read.
    enum Reading: Sendable {
        /// Updates of the customer, and the position after them.
        case updates([OrderView], position: Int64)
        /// The position lies before what is kept in memory: read the table up to `head`.
        case behind(head: Int64)
        /// The reader has not started yet.
        case notStarted
    }

    private let capacity: Int
    private let maximumSubscribers: Int
    private let state = Mutex(State(floor: 0))

    init(capacity: Int, maximumSubscribers: Int) {
        self.capacity = capacity
        self.maximumSubscribers = maximumSubscribers
    }

    // MARK: The reader

    /// Reads changes until cancelled.
    func run(_ ledger: Ledger) async {
        let environment = ledger.environment
        let limit = 512
        while !Task.isCancelled {
            var isMore = false
            do {
                if let head = state.withLock({ $0.head }) {
                    let updates = try await ledger.postgres.query(UpdatesAfter(position: head, limit: limit))
                    isMore = updates.count == limit
                    append(updates)
                } else if let horizon = try await ledger.postgres.queryOne(UpdateHorizon()) {
                    start(at: horizon)
                    isMore = true
                }
            } catch {
                guard !Task.isCancelled else { break }
                environment.log.warning("updates.read_failed", metadata: ["error": "\(error)"])
            }
            if !isMore { await ledger.wakeUps.updates.wait(atMost: ledger.configuration.pollInterval) }
        }
    }

    private func start(at horizon: Int64) {
        let subscribers = state.withLock { state in
            state.head = horizon
            state.floor = horizon
            return state.subscribers.values
        }
        for subscriber in subscribers { subscriber.wake() }
    }

    private func append(_ updates: [OrderView]) {
        guard let last = updates.last else { return }
        let subscribers = state.withLock { state in
            state.recent.append(contentsOf: updates)
            // Cut in larger pieces, so that each update is moved about once.
            if state.recent.count > capacity * 2 {
                let surplus = state.recent.count - capacity
                state.floor = state.recent[surplus - 1].sequence
                state.recent.removeFirst(surplus)
            }
            state.head = last.sequence
            return state.subscribers.values
        }
        for subscriber in subscribers { subscriber.wake() }
    }

    // MARK: Subscribers

    /// Runs `body` with a wake-up that rings whenever something was read; nil when there are too many subscribers.
    func withSubscription<Result>(_ body: (WakeUp) async throws -> Result) async rethrows -> Result? {
        let wakeUp = WakeUp()
        let id = state.withLock { state -> UInt64? in
            guard state.subscribers.count < maximumSubscribers else { return nil }
            state.lastSubscriber += 1
            state.subscribers[state.lastSubscriber] = wakeUp
            return state.lastSubscriber
        }
        guard let id else { return nil }
        defer { state.withLock { _ = $0.subscribers.removeValue(forKey: id) } }
        return try await body(wakeUp)
    }

    /// Whether anybody has subscribed.
    var isWatched: Bool { state.withLock { !$0.subscribers.isEmpty } }

    /// The position of the reader; nil before it has started.
    var head: Int64? { state.withLock { $0.head } }

    /// The updates of a customer after `position`, from memory if they are there.
    func read(_ customer: CustomerID, after position: Int64) -> Reading {
        state.withLock { state in
            guard let head = state.head else { return .notStarted }
            guard position >= state.floor else { return .behind(head: head) }
            guard position < head else { return .updates([], position: position) }
            var low = 0
            var high = state.recent.count
            while low < high {
                let middle = (low + high) / 2
                if state.recent[middle].sequence > position { high = middle } else { low = middle + 1 }
            }
            return .updates(state.recent[low...].filter { $0.customer == customer }, position: head)
        }
    }
}
