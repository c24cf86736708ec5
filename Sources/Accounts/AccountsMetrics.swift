import Domain
import ServiceKit

/// What one ledger counts.
struct AccountsMetrics: Sendable {
    /// Changes that only the compare-and-set refused: the lock was thought held, yet the version had moved.
    let casSaved: Counter
    /// Changes that were tried again, because the version had moved while no lock was held.
    let casRetries: Counter
    /// Operations that gave up, because the version moved in every try.
    let contended: Counter
    /// Operations that went on without the lock, because Redis was gone or slow.
    let lockUnavailable: Counter
    /// Operations that went on without the lock, because its holder kept it too long.
    let lockWaitExpired: Counter
    /// Locks that had expired before their holder was done.
    let lockLost: Counter
    /// Keys that came again with the same body.
    let replayed: Counter
    /// Keys that came again with another body: a mistake of the caller.
    let keyReused: Counter
    /// Keys sealed by an inquiry that came before the request.
    let sealed: Counter
    /// Withdrawals given back.
    let reversed: Counter
    /// Cancels that name no withdrawal which could be given back: a mistake of the sender, for a person to look at.
    let cancelRejected: Counter
    /// Withdrawals that could not be given back to their account and lie in suspense: a person must settle them.
    let suspended: Counter
    private let applied: [OperationKind: Counter]
    private let refused: [OperationKind: Counter]

    init(_ metrics: Metrics) {
        func counter(_ name: String, _ help: String) -> Counter {
            metrics.counter("meridian_account_\(name)_total", help: help)
        }
        casSaved = counter("cas_saved", "Changes that only the compare-and-set refused although the lock was held")
        casRetries = counter("cas_retries", "Changes tried again because the version had moved, without a lock")
        contended = counter("contended", "Operations that gave up because the version moved in every try")
        lockUnavailable = counter("lock_unavailable", "Operations without lock because Redis was gone or slow")
        lockWaitExpired = counter("lock_wait_expired", "Operations without lock because its holder kept it too long")
        lockLost = counter("lock_lost", "Locks that had expired before their holder was done")
        replayed = counter("replayed", "Operation keys that came again with the same body")
        keyReused = counter("key_reused", "Operation keys that came again with another body")
        sealed = counter("sealed", "Operation keys sealed before a request arrived")
        reversed = counter("reversed", "Withdrawals given back")
        cancelRejected = counter("cancel_rejected", "Cancels that name no withdrawal which could be given back")
        func decisions(_ outcome: String) -> [OperationKind: Counter] {
            Dictionary(
                uniqueKeysWithValues: OperationKind.allCases.map { kind in
                    let labels: KeyValuePairs = ["kind": kind.rawValue, "outcome": outcome]
                    return (
                        kind,
                        metrics.counter(
                            "meridian_account_operations_total", help: "Operations decided, by kind and outcome",
                            labels: labels)
                    )
                })
        }
        applied = decisions("APPLIED")
        refused = decisions("REFUSED")
        suspended = counter("suspended", "Withdrawals given back to the suspense account")
    }

    /// Counts an operation that was decided now.
    func decided(_ kind: OperationKind, _ outcome: OperationOutcome) {
        let counters = outcome == .applied ? applied : refused
        counters[kind]?.increment()
    }
}
