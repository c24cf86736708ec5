import Domain
import MockBroker
import Synchronization

/// A clock that stands still until a test moves it.
final class ManualClock: BrokerClock {
    private struct State {
        var now = start
        var nextID = 0
        var sleepers: [Int: (time: UnixTime, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var now: UnixTime { state.withLock { $0.now } }

    func sleep(until time: UnixTime) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isOver, watchers) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
                    if time <= state.now { return (true, []) }
                    state.sleepers[id] = (time, continuation)
                    defer { state.watchers = [] }
                    return (false, state.watchers)
                }
                if Task.isCancelled { wake(id, throwing: CancellationError()) }
                if isOver { continuation.resume() }
                for watcher in watchers { watcher.resume() }
            }
        } onCancel: {
            wake(id, throwing: CancellationError())
        }
    }

    private func wake(_ id: Int, throwing error: any Error) {
        let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
        sleeper?.continuation.resume(throwing: error)
    }

    func advance(milliseconds: Int64) {
        let due = state.withLock { state in
            state.now = state.now + .milliseconds(milliseconds)
            let due = state.sleepers.filter { $0.value.time <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns when somebody sleeps until exactly `milliseconds` from now.
    func waitForSleeper(milliseconds: Int64) async {
        let wanted = now + .milliseconds(milliseconds)
        var isThere = false
        while !isThere {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                isThere = state.withLock { state in
                    if state.sleepers.values.contains(where: { $0.time == wanted }) { return true }
                    state.watchers.append(continuation)
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }
}
