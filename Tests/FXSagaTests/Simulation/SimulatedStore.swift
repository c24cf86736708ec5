import Domain

@testable import FXSaga

/// The durable side of one exchange: log, lease, due look, outbox and inbox.
struct SimulatedStore {
    struct Line: Hashable {
        let state: ExchangeState
        let epoch: Int
    }

    let weakness: Simulation.Weakness?
    private(set) var log = [Line(state: .requested, epoch: 1)]
    private(set) var epoch = 1
    /// Somebody drives, and may be taken over only once the lease has run out.
    private(set) var isHeld = true
    private(set) var checks: Int?
    private(set) var outbox = 0
    private(set) var limit: ExchangeStep.Limit?
    var leaseHasRunOut = false

    init(weakness: Simulation.Weakness?) { self.weakness = weakness }

    var state: ExchangeState { log[log.count - 1].state }
    /// Nobody drives although somebody should, now or later.
    var canBeClaimed: Bool { !state.isTerminal && (isHeld ? leaseHasRunOut : checks != nil) }
    /// Nobody drives and nobody will: only right for what has ended or is parked.
    var isAbandoned: Bool { !state.isTerminal && state != .parked && !isHeld && checks == nil }

    mutating func claim() -> Int {
        epoch += 1
        isHeld = true
        leaseHasRunOut = false
        return epoch
    }

    mutating func takeFromOutbox() { outbox -= 1 }

    /// Makes a step durable, or returns false and changes nothing when the epoch or the place in the log has passed.
    mutating func commit(_ step: ExchangeStep, after length: Int, epoch claimed: Int) -> Bool {
        if weakness != .epochIsNotChecked { guard claimed == epoch, isHeld else { return false } }
        guard step.entered.isEmpty || log.count == length else { return false }
        for state in step.entered { log.append(Line(state: state, epoch: claimed)) }
        switch step.lease {
        case .driving: leaseHasRunOut = false
        case .resting, .ended: isHeld = false
        }
        if let recheck = step.recheck {
            checks = recheck.checks
        } else if !step.entered.isEmpty {
            checks = nil
        }
        if step.publishesCancel { outbox += 1 }
        if let settled = step.limit { limit = settled }
        return true
    }
}
