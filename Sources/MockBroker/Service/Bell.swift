internal import Domain
internal import Synchronization

/// Wakes whoever waits for news. News are counted, so that none is missed between looking and waiting.
final class Bell: Sendable {
    private struct State {
        var rings: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// How often it rang. Read it before looking at what it announces.
    var rings: UInt64 { state.withLock { $0.rings } }

    func ring() {
        let waiters = state.withLock { state in
            state.rings += 1
            defer { state.waiters.removeAll(keepingCapacity: true) }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when it has rung more than `rings` times, or the task is cancelled.
    func wait(past rings: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.rings == rings, !Task.isCancelled else { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    /// Returns when it has rung more than `rings` times or `time` has come; nil never comes. Throws when cancelled.
    func wait(past rings: UInt64, until time: UnixTime?, on clock: any BrokerClock) async throws {
        if let time {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.wait(past: rings) }
                group.addTask { try await clock.sleep(until: time) }
                try await group.next()
                group.cancelAll()
            }
        } else {
            await wait(past: rings)
        }
        try Task.checkCancellation()
    }
}
