// Axis B for cancels: a cancel is a request of its own, with its own races. Only the broker's report ends the order.
extension Order {
    mutating func wishCancel(_ at: UnixTime, _ rules: DispatchRules) throws(Refusal) -> [OrderAction] {
        if cancellation.isWanted, !isFinal { return [] }
        switch lifecycle {
        case .closed, .denied: throw .notInThisState
        case .received, .held: return cancelUnsent()
        case .queued:
            switch submission.state {
            case .ready: return cancelUnsent()
            case .sent, .confirmed, .refused:
                cancellation = .wanted  // Sent as soon as the attempt has ended.
                return []
            case .unknown:
                cancellation = .wanted
                var actions = voidPlan()
                actions += needsReview ? [] : plan(at, rules)
                if rules.broker.cancelsByClientID, lifecycle == .queued {
                    actions.append(.requestCancel(attempt: cancelAttempts + 1, at: at))
                }
                return actions
            }
        case .working:
            cancellation = .wanted
            return [.requestCancel(attempt: cancelAttempts + 1, at: at)]
        }
    }

    mutating func startCancel(_ attempt: Int) throws(Refusal) -> [OrderAction] {
        guard !isFinal else { throw .notInThisState }
        guard attempt == cancelAttempts + 1 else {
            throw Refusal(problem: .attemptOutOfTurn(expected: cancelAttempts + 1))
        }
        switch cancellation {
        case .wanted, .unknown:
            cancelAttempts = attempt
            cancellation = .sent(attempt: attempt)
            return []
        case .none, .sent, .confirmed, .refused: throw .notInThisState
        }
    }

    mutating func cancelTaken() -> [OrderAction] {
        guard !isFinal else { return [] }
        switch cancellation {
        case .sent, .unknown:
            cancellation = .confirmed
            return confirm(nil)  // Whoever takes a cancel on has the order.
        case .none, .wanted, .confirmed, .refused: return []
        }
    }

    mutating func cancelRefused(_ reason: ReasonCode) -> [OrderAction] {
        guard !isFinal else { return [] }
        switch cancellation {
        case .sent, .unknown:
            cancellation = .refused(reason)
            return [.fetchExecutions]  // "Too late" mostly means that it is filled.
        case .none, .wanted, .confirmed, .refused: return []
        }
    }

    mutating func cancelFoundNoOrder(_ at: UnixTime, _ rules: DispatchRules) -> [OrderAction] {
        guard !isFinal else { return [] }
        switch cancellation {
        case .none, .wanted, .confirmed, .refused: return []
        case .sent(let attempt), .unknown(let attempt):
            guard lifecycle == .queued, case .unknown = submission.state else {
                cancellation = .refused("UNKNOWN_ORDER")  // Information about an order that works, not proof.
                return [.probe(at: at)]
            }
            if rules.broker.cancelSealsUnknownID {
                cancellation = .wanted
                submission.isSealed = true
                return needsReview ? [] : voidPlan() + plan(at, rules)
            }
            return retryCancel(attempt, at, rules)
        }
    }

    mutating func cancelUnknown(_ at: UnixTime, _ rules: DispatchRules) -> [OrderAction] {
        guard !isFinal, case .sent(let attempt) = cancellation else { return [] }
        return retryCancel(attempt, at, rules)
    }

    /// The same request again, later: a cancel may be repeated, since it can take effect only once.
    private mutating func retryCancel(_ attempt: Int, _ at: UnixTime, _ rules: DispatchRules) -> [OrderAction] {
        cancellation = .unknown(attempt: attempt)
        let delay = rules.policy.retryDelay(afterAttempt: attempt, of: id)
        let again = OrderAction.requestCancel(attempt: cancelAttempts + 1, at: at + delay)
        return attempt % 10 == 0 ? [again, .alert(.cancelUnanswered(attempts: attempt))] : [again]
    }

    private mutating func cancelUnsent() -> [OrderAction] {
        cancellation = .wanted
        reason = .customerCanceled
        return close(.canceled)
    }

    private var isFinal: Bool { status.isFinal }
}
