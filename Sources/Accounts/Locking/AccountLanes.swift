import Domain
import EventLoop
import Limits
import Synchronization

/// One operation at a time for each account within this process, in order of arrival.
///
/// Callers of a busy account queue here instead of spinning on the Redis lock or losing the compare-and-set to each
/// other. The queue of an account is bounded; waiting ends with the deadline and with cancellation.
final class AccountLanes: Sendable {
    enum Refusal: Error, Hashable, Sendable {
        case full
        case deadlineExceeded
    }

    private enum Outcome { case entered, full, deadlineExceeded, cancelled }

    private struct Waiter: Sendable {
        let id: UInt64
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private struct State {
        /// An account is in here while someone is in its lane.
        var lanes: [AccountID: BoundedQueue<Waiter>] = [:]
        var lastID: UInt64 = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(waitersPerAccount: Int) { capacity = waitersPerAccount }

    /// Runs `body` when nobody else is in the lane of `account`. Call on a loop.
    ///
    /// Throws `Refusal`, `CancellationError`, or what `body` throws.
    func withLane<Result>(_ account: AccountID, _ body: () async throws -> Result) async throws -> Result {
        switch await enter(account) {
        case .entered: break
        case .full: throw Refusal.full
        case .deadlineExceeded: throw Refusal.deadlineExceeded
        case .cancelled: throw CancellationError()
        }
        defer { leave(account) }
        return try await body()
    }

    private func enter(_ account: AccountID) async -> Outcome {
        let id: UInt64? = state.withLock { state in
            guard state.lanes[account] != nil else {
                state.lanes[account] = BoundedQueue(capacity: capacity)
                return nil
            }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return .entered }
        let timer = Deadline.current.flatMap { deadline in
            EventLoop.current.map { loop in
                (loop, loop.schedule(at: deadline) { self.giveUp(id, account, .deadlineExceeded) })
            }
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { wait(Waiter(id: id, continuation: $0), account) }
        } onCancel: {
            giveUp(id, account, .cancelled)
        }
        // A task comes back to the loop it lives on; one without a loop had no timer.
        if let (loop, timer) = timer, loop.isCurrent { loop.cancel(timer) }
        return outcome
    }

    private func wait(_ waiter: Waiter, _ account: AccountID) {
        let outcome: Outcome? = state.withLock { state in
            // The cancellation handler may have run before the waiter was there to be found.
            guard !Task.isCancelled else { return .cancelled }
            guard state.lanes[account] != nil else {
                state.lanes[account] = BoundedQueue(capacity: capacity)
                return .entered
            }
            return state.lanes[account]!.append(waiter) ? nil : .full
        }
        if let outcome { waiter.continuation.resume(returning: outcome) }
    }

    private func giveUp(_ id: UInt64, _ account: AccountID, _ outcome: Outcome) {
        let waiter = state.withLock { $0.lanes[account]?.removeFirst { $0.id == id } }
        waiter?.continuation.resume(returning: outcome)
    }

    /// Hands the lane to the next waiter, or closes it.
    private func leave(_ account: AccountID) {
        let next = state.withLock { state in
            let next = state.lanes[account]?.popFirst()
            if next == nil { state.lanes[account] = nil }
            return next
        }
        next?.continuation.resume(returning: .entered)
    }
}
