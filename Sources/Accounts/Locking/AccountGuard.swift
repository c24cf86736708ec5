import Contracts
import Domain
import Limits
import Logging
import Postgres
import ServiceKit

/// How one try to change an account ended.
enum Attempt<Result: Sendable>: Sendable {
    case done(Result)
    /// The compare-and-set found another version; nothing was written.
    case versionMoved
    /// The key got an outcome between reading and writing; nothing was written.
    case keyTaken
}

/// Brings the changes of an account one after the other, and repeats those that lost a race.
///
/// Three levels, of which only the last keeps the books right: a lane in this process (fair, cheap), a lock with a
/// time-out in Redis between processes (keeps contention low), and the compare-and-set on the account's version in
/// PostgreSQL (the fence). Without Redis the ledger is slower under contention, and as right.
struct AccountGuard: Sendable {
    let lanes: AccountLanes
    let locks: AccountLocks
    let configuration: AccountsConfiguration
    let metrics: AccountsMetrics
    let log: Logger
    let random: @Sendable () -> UInt64

    /// Runs `attempt` under the locks of `account` until it is done. It reads and writes by itself, and each change that
    /// it makes must carry its operation key and the version it read.
    ///
    /// Call on a loop. Throws `Refusal`, `PostgresError`, `CancellationError`, or what `attempt` throws.
    func change<Result: Sendable>(
        _ account: AccountID, _ attempt: () async throws -> Attempt<Result>
    ) async throws -> Result {
        do {
            return try await lanes.withLane(account) {
                for number in 1...configuration.attempts {
                    if number > 1 { try await pause(afterAttempt: number - 1) }
                    if let result = try await attemptUnderLock(account, attempt) { return result }
                }
                metrics.contended.increment()
                throw Refusal.contended(account)
            }
        } catch let refusal as AccountLanes.Refusal {
            throw Refusal(refusal)
        }
    }

    /// Nil when another try is due.
    private func attemptUnderLock<Result: Sendable>(
        _ account: AccountID, _ attempt: () async throws -> Attempt<Result>
    ) async throws -> Result? {
        try await locks.withLock(account) { isHeld in
            do {
                switch try await attempt() {
                case .done(let result): return result
                case .keyTaken: return nil
                case .versionMoved:
                    noteMovedVersion(of: account, underLock: isHeld)
                    return nil
                }
            } catch let error as PostgresError where error.cutsOneTryOnly {
                // The next try reads the key's outcome, so what became of this one does not matter.
                log.notice("attempt.lost", metadata: ["account_id": "\(account)", "error": "\(error)"])
                return nil
            }
        }
    }

    private func noteMovedVersion(of account: AccountID, underLock isHeld: Bool) {
        guard isHeld else {
            metrics.casRetries.increment()
            return
        }
        metrics.casSaved.increment()
        log.warning("account.cas_saved", metadata: ["account_id": "\(account)"])
    }

    private func pause(afterAttempt attempt: Int) async throws {
        let delay = configuration.backoff.delay(afterAttempt: attempt, random: random())
        if let deadline = Deadline.current, deadline.remaining <= delay { throw AccountLanes.Refusal.deadlineExceeded }
        try await Task.sleep(for: delay)
    }
}

extension PostgresError {
    /// Whether another try at once, on another connection, has a chance: not when the server is away or too slow.
    fileprivate var cutsOneTryOnly: Bool {
        switch reason {
        case .connectionLost: true
        case .server: mayRetry
        case .poolExhausted, .unavailable, .deadlineExceeded, .cancelled, .transactionAborted, .unexpectedRowCount,
            .invalidParameter, .invalidConfiguration, .closed:
            false
        }
    }
}
