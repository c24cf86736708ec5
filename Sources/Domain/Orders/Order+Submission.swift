// Axis B: the request in flight, and what to do when nobody knows its outcome.
extension Order {
    mutating func startAttempt(_ attempt: Int, _ at: UnixTime, _ rules: DispatchRules) throws(Refusal) -> [OrderAction]
    {
        guard lifecycle == .queued else { throw .notInThisState }
        guard attempt == submission.attempts + 1 else {
            throw Refusal(problem: .attemptOutOfTurn(expected: submission.attempts + 1))
        }
        switch submission.state {
        case .ready:
            guard !needsReview, !rules.isHalted else { throw .notAllowedNow }
            if let end = rules.sessionEndsAt, at >= end { throw .notAllowedNow }
        case .unknown(.resend(let due)):
            guard !needsReview, at >= due, let facts = unknownFacts, allowsResend(facts, rules, at) else {
                throw .notAllowedNow
            }
        case .unknown(.probe), .unknown(.review), .unknown(.conclude): throw .notAllowedNow
        case .sent, .confirmed, .refused: throw .notInThisState
        }
        submission.state = .sent
        submission.attempts = attempt
        submission.firstSentAt = submission.firstSentAt ?? at
        submission.lastSentAt = at
        submission.probes = 0
        submission.misses = 0
        return []
    }

    mutating func attemptNotSent(_ at: UnixTime, _ rules: DispatchRules) throws(Refusal) -> [OrderAction] {
        switch (lifecycle, submission.state) {
        case (.queued, .sent):
            submission.unsentAttempts += 1
            if submission.sentAttempts > 0 {
                submission.unknownSince = at
                return plan(at, rules)
            }
            submission.state = .ready
            submission.firstSentAt = nil
            submission.lastSentAt = nil
            if cancellation.isWanted {
                reason = .customerCanceled
                return close(.canceled)
            }
            let delay = rules.policy.retryDelay(afterAttempt: submission.attempts, of: id)
            return [.dispatch(attempt: submission.attempts + 1, at: at + delay)]
        case (.working, _), (.closed, _): return []  // Evidence from elsewhere was faster.
        case (.queued, .ready), (.queued, .unknown), (.queued, .confirmed), (.queued, .refused), (.received, _),
            (.held, _), (.denied, _):
            throw .notInThisState
        }
    }

    mutating func attemptUnknown(_ at: UnixTime, _ rules: DispatchRules) throws(Refusal) -> [OrderAction] {
        switch (lifecycle, submission.state) {
        case (.queued, .sent):
            submission.unknownSince = at
            var actions = plan(at, rules)
            if cancellation == .wanted, rules.broker.cancelsByClientID, lifecycle == .queued {
                actions.append(.requestCancel(attempt: cancelAttempts + 1, at: at))
            }
            return actions
        case (.queued, .unknown): return []  // Told twice.
        case (.working, _), (.closed, _): return []  // Evidence from elsewhere was faster.
        case (.queued, .ready), (.queued, .confirmed), (.queued, .refused), (.received, _), (.held, _), (.denied, _):
            throw .notInThisState
        }
    }

    mutating func attemptRefused(_ reason: ReasonCode) throws(Refusal) -> [OrderAction] {
        switch (lifecycle, submission.state) {
        case (.queued, .sent), (.queued, .unknown):
            self.reason = reason
            let actions = close(.rejected)
            submission.state = .refused
            return actions
        // Another attempt, or the feed, has proven acceptance: only this attempt was refused.
        case (.working, _): return [.fetchExecutions]
        case (.closed, _): return []
        case (.queued, .ready), (.queued, .confirmed), (.queued, .refused), (.received, _), (.held, _), (.denied, _):
            throw .notInThisState
        }
    }

    /// Takes proof that the broker has the order. A planned resend is void from here on.
    mutating func confirm(_ brokerOrder: BrokerOrderID?) -> [OrderAction] {
        var actions: [OrderAction] = []
        if let brokerOrder {
            if let known = submission.brokerOrder, known != brokerOrder {
                actions.append(.alert(.brokerOrderChanged(from: known, to: brokerOrder)))
            } else {
                submission.brokerOrder = brokerOrder
            }
        }
        switch lifecycle {
        case .working: return actions
        case .queued:
            actions += voidPlan()
            let wasNeverSent = submission.attempts == 0
            submission.state = .confirmed
            lifecycle = .working
            needsReview = false
            if wasNeverSent { actions += contradiction(.acceptedBeforeSent) }
            if cancellation == .wanted {
                let at = submission.lastSentAt ?? UnixTime(nanoseconds: 0)  // In the past: at once.
                actions.append(.requestCancel(attempt: cancelAttempts + 1, at: at))
            }
            return actions
        case .received, .held:
            submission.state = .confirmed
            lifecycle = .working
            return actions + contradiction(.acceptedBeforeQueued)
        case .denied: return actions + contradiction(.acceptedAfterDenial)
        case .closed(let closing):
            // An order that nobody sent, or that the broker refused, is alive there and has no hold here.
            let contradicts = submission.state != .confirmed && (closing == .rejected || submission.sentAttempts == 0)
            return contradicts ? actions + contradiction(.acceptedAfterEnd(closing)) : actions
        }
    }

    mutating func lookUpMissed(_ at: UnixTime, _ rules: DispatchRules) -> [OrderAction] {
        guard lifecycle == .queued, case .unknown = submission.state, let lastSentAt = submission.lastSentAt else {
            return []  // A look-up that was under way when evidence came proves nothing.
        }
        submission.probes += 1
        if at >= lastSentAt + rules.broker.visibilityDelay { submission.misses += 1 }
        return needsReview ? [] : plan(at, rules)
    }

    mutating func lookUpFailed(_ at: UnixTime, _ rules: DispatchRules) -> [OrderAction] {
        guard lifecycle == .queued, case .unknown = submission.state else { return [] }
        submission.probes += 1
        return needsReview ? [] : plan(at, rules)
    }

    mutating func withdrawResend(_ at: UnixTime, _ rules: DispatchRules) throws(Refusal) -> [OrderAction] {
        guard lifecycle == .queued, case .unknown(.resend) = submission.state else { throw .notInThisState }
        return plan(at, rules)
    }

    mutating func report(_ view: BrokerOrderView) -> [OrderAction] {
        switch view.status {
        case .working, .filled:
            brokerCumQuantity = max(brokerCumQuantity, view.cumQuantity)
            // A status never fills an order: only its executions do.
            return confirm(view.brokerOrder) + (view.cumQuantity > cumQuantity ? [.fetchExecutions] : [])
        case .canceled: return confirm(view.brokerOrder) + end(.canceled, brokerCumQuantity: view.cumQuantity)
        case .expired: return confirm(view.brokerOrder) + end(.expired, brokerCumQuantity: view.cumQuantity)
        case .rejected(let reason): return rejectOrder(reason)
        }
    }

    mutating func concludeByPerson() throws(Refusal) -> [OrderAction] {
        guard lifecycle == .queued, case .unknown = submission.state else { throw .notInThisState }
        return conclude()
    }

    mutating func resume(_ at: UnixTime) throws(Refusal) -> [OrderAction] {
        guard needsReview else { throw .notInThisState }
        needsReview = false
        guard lifecycle == .queued, case .unknown = submission.state else { return [] }
        submission.state = .unknown(.probe(at: at))
        return [.probe(at: at)]
    }

    /// Decides the next step about an unknown order.
    mutating func plan(_ now: UnixTime, _ rules: DispatchRules) -> [OrderAction] {
        guard let facts = unknownFacts else { return [] }
        let step = rules.policy.next(
            facts, broker: rules.broker, sessionEndsAt: rules.sessionEndsAt, isHalted: rules.isHalted, now: now)
        submission.state = .unknown(step)
        switch step {
        case .probe(let at): return [.probe(at: at)]
        case .resend(let at): return [.resend(attempt: submission.attempts + 1, at: at)]
        case .conclude: return conclude()
        case .review:
            needsReview = true
            return [.alert(.outcomeUnresolved)]
        }
    }

    /// What is known, once an attempt may have reached the broker.
    var unknownFacts: UnknownOrderFacts? {
        guard let first = submission.firstSentAt, let last = submission.lastSentAt, let since = submission.unknownSince
        else { return nil }
        return UnknownOrderFacts(
            order: id, type: terms.type.name, timeInForce: terms.timeInForce, attempts: submission.sentAttempts,
            firstSentAt: first, lastSentAt: last, unknownSince: since, probes: submission.probes,
            misses: submission.misses, isSealed: submission.isSealed, isCancelWanted: cancellation.isWanted)
    }

    /// Voids a planned probe or resend, if there is one.
    mutating func voidPlan() -> [OrderAction] {
        switch submission.state {
        case .unknown(.probe), .unknown(.resend): return [.cancelPlannedStep]
        case .unknown(.conclude), .unknown(.review), .ready, .sent, .confirmed, .refused: return []
        }
    }

    private mutating func conclude() -> [OrderAction] {
        reason = cancellation.isWanted ? .customerCanceled : .neverAccepted
        let actions = close(cancellation.isWanted ? .canceled : .rejected)
        submission.state = .refused
        return actions
    }

    private func allowsResend(_ facts: UnknownOrderFacts, _ rules: DispatchRules, _ at: UnixTime) -> Bool {
        rules.policy.allowsResend(
            facts, broker: rules.broker, sessionEndsAt: rules.sessionEndsAt, isHalted: rules.isHalted, at: at)
    }
}
