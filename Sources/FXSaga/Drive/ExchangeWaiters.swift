internal import Domain
internal import Limits
internal import Synchronization

/// Callers who wait for an exchange that this process drives.
final class ExchangeWaiters: Sendable {
    private let waiting = Mutex<[ExchangeID: [ObjectIdentifier: WakeUp]]>([:])

    /// Ends the waits for this exchange.
    func wake(_ id: ExchangeID) {
        let waiters = waiting.withLock { $0[id].map { Array($0.values) } ?? [] }
        for waiter in waiters { waiter.wake() }
    }

    /// Runs `body` with a wake-up that `wake(id)` wakes.
    func withWakeUp<Result>(for id: ExchangeID, _ body: (WakeUp) async throws -> Result) async rethrows -> Result {
        let wakeUp = WakeUp()
        waiting.withLock { $0[id, default: [:]][ObjectIdentifier(wakeUp)] = wakeUp }
        defer {
            waiting.withLock { waiting in
                waiting[id]?[ObjectIdentifier(wakeUp)] = nil
                if waiting[id]?.isEmpty ?? false { waiting[id] = nil }
            }
        }
        return try await body(wakeUp)
    }
}
