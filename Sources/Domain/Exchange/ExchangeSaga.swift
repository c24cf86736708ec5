/// One exchange between two ledgers: withdraw first, deposit second, and the withdrawal given back when the deposit can
/// never apply. Money that has left can be given back; money that has arrived may be gone.
public struct ExchangeSaga: Hashable, Sendable {
    public let id: ExchangeID
    public private(set) var state: ExchangeState
    /// Looks since the state was entered or re-driven.
    public private(set) var checks: Int
    /// Whether the withdrawal's outcome was unknown at some time.
    public private(set) var withdrawalWasUnknown: Bool
    /// Where a parked exchange goes on.
    public private(set) var parkedFrom: ExchangeState?

    /// What one event leads to.
    public struct Step: Hashable, Sendable {
        /// The states to append to the log, in order, in one transaction; empty when nothing changes but a counter.
        public var entered: [ExchangeState]
        public var actions: [ExchangeAction]

        public init(entered: [ExchangeState] = [], actions: [ExchangeAction] = []) {
            self.entered = entered
            self.actions = actions
        }
    }

    /// A new exchange, in the state REQUESTED, which is the first line of its log.
    public init(id: ExchangeID) {
        self.id = id
        state = .requested
        checks = 0
        withdrawalWasUnknown = false
        parkedFrom = nil
    }

    /// An exchange from its log and its stored counter.
    ///
    /// - Throws: `IllegalExchangeLog` when the log is no legal path from REQUESTED.
    public init(id: ExchangeID, log: [ExchangeState], checks: Int) throws(IllegalExchangeLog) {
        guard log.first == .requested else { throw IllegalExchangeLog(position: 0) }
        self.init(id: id)
        for (index, next) in log.enumerated().dropFirst() {
            guard state.successors.contains(next) else { throw IllegalExchangeLog(position: index) }
            if state == .parked, next != .cancelled, next != parkedFrom { throw IllegalExchangeLog(position: index) }
            if state == .parked, next == .cancelled, parkedFrom != .cancelRequested {
                throw IllegalExchangeLog(position: index)
            }
            enter(next)
        }
        guard state.rests else { throw IllegalExchangeLog(position: log.count) }
        self.checks = checks
    }

    /// Whether the withdrawal is on its way back, or will be once the deposit's key is sealed.
    private func givesBack(_ rules: ExchangeRules) -> Bool {
        withdrawalWasUnknown && rules.lateWithdrawal == .giveBack
    }

    /// The one place where an exchange changes.
    ///
    /// - Throws: `IllegalExchangeEvent` for a pair of state and event that the protocol rules out; nothing is changed.
    public mutating func apply(
        _ event: ExchangeEvent, rules: ExchangeRules
    ) throws(IllegalExchangeEvent) -> Step {
        switch (state, event) {
        // Going on from the stored state, by whoever holds the lease.
        case (.requested, .drive): return go(through: [.withdrawRequested], [.withdraw])
        case (.withdrawRequested, .drive): return Step(actions: [.withdraw])  // Same key: applies at most once.
        case (.withdrawUnknown, .drive): return Step(actions: [.resolveWithdrawal])
        case (.withdrawSucceeded, .drive): return requestDeposit(after: [], rules)
        case (.depositRequested, .drive): return Step(actions: [givesBack(rules) ? .resolveDeposit : .deposit])
        case (.depositUnknown, .drive): return Step(actions: [.resolveDeposit])
        case (.cancelRequested, .drive): return Step(actions: [.publishCancel])
        case (.completed, .drive), (.failed, .drive), (.cancelled, .drive), (.parked, .drive): return Step()

        // The withdrawal.
        case (.withdrawRequested, .withdrawal(.applied)), (.withdrawUnknown, .withdrawal(.applied)):
            return requestDeposit(after: [.withdrawSucceeded], rules)
        case (.withdrawRequested, .withdrawal(.refused)), (.withdrawUnknown, .withdrawal(.refused)),
            (.withdrawRequested, .withdrawal(.sealed)), (.withdrawUnknown, .withdrawal(.sealed)):
            return go(through: [.withdrawRefused, .failed], [.releaseLimit])
        case (.withdrawRequested, .withdrawal(.unknown)): return go(through: [.withdrawUnknown], [.resolveWithdrawal])
        case (.withdrawUnknown, .withdrawal(.unknown)): return lookLater(rules)

        // The deposit.
        case (.depositRequested, .deposit(.applied)), (.depositUnknown, .deposit(.applied)):
            return go(through: [.depositSucceeded, .completed], [.finalizeLimit])
        case (.depositRequested, .deposit(.refused)), (.depositUnknown, .deposit(.refused)),
            (.depositRequested, .deposit(.sealed)), (.depositUnknown, .deposit(.sealed)):
            return publishCancel(after: [.depositRefused, .cancelRequested], rules)
        case (.depositRequested, .deposit(.unknown)): return go(through: [.depositUnknown], [.resolveDeposit])
        case (.depositUnknown, .deposit(.unknown)): return lookLater(rules)

        // The way back.
        case (.cancelRequested, .withdrawalCancelled(.reversed)): return go(through: [.cancelled], [.releaseLimit])
        case (.parked, .withdrawalCancelled(.reversed)) where parkedFrom == .cancelRequested:
            return go(through: [.cancelled], [.releaseLimit])
        case (.cancelled, .withdrawalCancelled(.reversed)): return Step()  // The bus delivers at least once.
        // A withdrawal that applied was neither refused nor sealed: the books contradict each other.
        case (.cancelRequested, .withdrawalCancelled(.sealed)), (.cancelRequested, .withdrawalCancelled(.refused)):
            return park()

        // Delayed looks. One that comes after the exchange went on is a fair race.
        case (.withdrawUnknown, .recheckDue): return Step(actions: [.resolveWithdrawal])
        case (.depositUnknown, .recheckDue): return Step(actions: [.resolveDeposit])
        case (.cancelRequested, .recheckDue):
            guard checks < rules.recheck.maximumChecks else { return park() }
            checks += 1
            return publishCancel(after: [], rules)
        case (.requested, .recheckDue), (.withdrawRequested, .recheckDue), (.withdrawSucceeded, .recheckDue),
            (.depositRequested, .recheckDue), (.completed, .recheckDue), (.failed, .recheckDue),
            (.cancelled, .recheckDue), (.parked, .recheckDue):
            return Step()

        case (.parked, .redriven): return redrive(rules)

        // Everything else is our own mistake, or a participant that breaks its promises.
        case (.requested, _), (.withdrawRequested, _), (.withdrawSucceeded, _), (.withdrawRefused, _),
            (.withdrawUnknown, _), (.depositRequested, _), (.depositSucceeded, _), (.depositRefused, _),
            (.depositUnknown, _), (.cancelRequested, _), (.completed, _), (.failed, _), (.cancelled, _), (.parked, _):
            throw IllegalExchangeEvent(exchange: id, state: state, event: event)
        }
    }

    /// To give back, the deposit's key is sealed first: a cancel never meets a deposit in flight.
    private mutating func requestDeposit(after states: [ExchangeState], _ rules: ExchangeRules) -> Step {
        go(through: states + [.depositRequested], [givesBack(rules) ? .resolveDeposit : .deposit])
    }

    /// Nobody waits for the message's result, so a look follows, and publishes again what may have been lost.
    private mutating func publishCancel(after states: [ExchangeState], _ rules: ExchangeRules) -> Step {
        var step = go(through: states, [.publishCancel])
        step.actions.append(.recheck(after: rules.recheck.delay(beforeCheck: checks + 1, of: id)))
        return step
    }

    private mutating func lookLater(_ rules: ExchangeRules) -> Step {
        guard checks < rules.recheck.maximumChecks else { return park() }
        checks += 1
        return Step(actions: [.recheck(after: rules.recheck.delay(beforeCheck: checks, of: id))])
    }

    private mutating func park() -> Step { go(through: [.parked], [.alertParked]) }

    private mutating func redrive(_ rules: ExchangeRules) -> Step {
        guard let origin = parkedFrom else { return Step() }
        switch origin {
        case .withdrawUnknown: return go(through: [origin], [.resolveWithdrawal])
        case .depositUnknown: return go(through: [origin], [.resolveDeposit])
        case .cancelRequested: return publishCancel(after: [origin], rules)
        case .requested, .withdrawRequested, .withdrawSucceeded, .withdrawRefused, .depositRequested, .depositSucceeded,
            .depositRefused, .completed, .failed, .cancelled, .parked:
            return Step()  // `parkedFrom` is never one of these.
        }
    }

    private mutating func go(through states: [ExchangeState], _ actions: [ExchangeAction]) -> Step {
        for next in states { enter(next) }
        return Step(entered: states, actions: actions)
    }

    private mutating func enter(_ next: ExchangeState) {
        parkedFrom = next == .parked ? state : nil
        if next == .withdrawUnknown { withdrawalWasUnknown = true }
        checks = 0
        state = next
    }
}

/// An event that cannot follow. The exchange is unchanged; a person looks.
public struct IllegalExchangeEvent: Error, Hashable, Sendable {
    public let exchange: ExchangeID
    public let state: ExchangeState
    public let event: ExchangeEvent
}

/// A log that no exchange can have written.
public struct IllegalExchangeLog: Error, Hashable, Sendable {
    /// The first entry that cannot stand where it stands; the log's length when it ends too early.
    public let position: Int
}
