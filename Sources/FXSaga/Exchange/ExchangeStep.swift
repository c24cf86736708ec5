internal import Domain

/// What one event leads to, sorted by when it is done: first everything durable in one transaction, then at most one
/// call.
struct ExchangeStep: Hashable, Sendable {
    /// A call to a participant. Its answer is the next event.
    enum Call: Hashable, Sendable {
        case withdraw, resolveWithdrawal, deposit, resolveDeposit
    }

    /// What becomes of the lease when the step is durable.
    enum Lease: String, Hashable, Sendable {
        /// The driver goes on.
        case driving = "DRIVING"
        /// Nobody drives until the next look is due or a message or a person comes.
        case resting = "RESTING"
        /// Nothing follows.
        case ended = "ENDED"
    }

    enum Limit: String, Hashable, Sendable {
        case done = "DONE"
        case released = "RELEASED"
    }

    /// The states to append, in order; may be empty.
    var entered: [ExchangeState] = []
    var limit: Limit?
    var publishesCancel = false
    var alertsParked = false
    /// When to look again, and how often that has been done.
    var recheck: (after: Duration, checks: Int)? {
        get { recheckAfter.map { ($0, checks) } }
        set {
            recheckAfter = newValue?.after
            checks = newValue?.checks ?? 0
        }
    }
    var call: Call?
    var lease = Lease.driving

    private var recheckAfter: Duration?
    private var checks = 0

    /// Applies `event` to the pure saga.
    static func next(
        _ saga: inout ExchangeSaga, _ event: ExchangeEvent, rules: ExchangeRules
    ) throws(IllegalExchangeEvent) -> ExchangeStep {
        var step = ExchangeStep()
        let decided = try saga.apply(event, rules: rules)
        step.entered = decided.entered
        for action in decided.actions { step.add(action, checks: saga.checks) }
        if step.call == nil { step.lease = saga.state.isTerminal ? .ended : .resting }
        return step
    }

    private mutating func add(_ action: ExchangeAction, checks: Int) {
        switch action {
        case .withdraw: call = .withdraw
        case .resolveWithdrawal: call = .resolveWithdrawal
        case .deposit: call = .deposit
        case .resolveDeposit: call = .resolveDeposit
        case .publishCancel: publishesCancel = true
        case .recheck(let delay): recheck = (delay, checks)
        case .finalizeLimit: limit = .done
        case .releaseLimit: limit = .released
        case .alertParked: alertsParked = true
        }
    }
}

extension ExchangeState {
    /// The event with which whoever takes an exchange over goes on: a look in the states that wait for an answer, so that
    /// looks are counted however the driver ended, and otherwise the next step.
    var eventOnTakeOver: ExchangeEvent {
        switch self {
        case .withdrawUnknown, .depositUnknown, .cancelRequested: .recheckDue
        case .requested, .withdrawRequested, .withdrawSucceeded, .withdrawRefused, .depositRequested, .depositSucceeded,
            .depositRefused, .completed, .failed, .cancelled, .parked:
            .drive
        }
    }
}
