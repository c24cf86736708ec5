/// An order's whole life: three axes that are kept apart, and the one function that changes them.
///
/// Axis A is `lifecycle` (ours), axis B `submission` and `cancellation` (requests in flight), axis C `executions`
/// (facts). What the customer sees, `status`, is derived. Facts are accepted in every state and in any order; commands
/// are refused where they are not legal. Nothing here reads a clock, draws a number or does I/O.
public struct Order: Hashable, Sendable {
    /// Ours; also the client order id of every attempt toward the broker.
    public let id: OrderID
    public let terms: OrderTerms
    public internal(set) var lifecycle: OrderLifecycle
    public internal(set) var submission: Submission
    public internal(set) var cancellation: Cancellation
    /// "About to send" rows of cancels written so far.
    public internal(set) var cancelAttempts: Int
    public internal(set) var executions: ExecutionBook
    /// The highest cumulative quantity that the broker has told.
    public internal(set) var brokerCumQuantity: Quantity
    public internal(set) var pendingClose: PendingClose?
    /// What is to be held; nil where no money is held.
    public internal(set) var holdAmount: Money?
    public internal(set) var hold: HoldID?
    /// Why the order was denied, refused, rejected or closed by us.
    public internal(set) var reason: ReasonCode?
    /// Whether automation is frozen until a person acts.
    public internal(set) var needsReview: Bool
    /// Counts every change; a store writes a version only over the one before it.
    public internal(set) var version: Int64

    /// A new order, in the state RECEIVED.
    public init(id: OrderID, terms: OrderTerms) {
        self.init(
            id: id, terms: terms, lifecycle: .received, submission: Submission(), cancellation: .none,
            cancelAttempts: 0, executions: ExecutionBook(currency: terms.currency), brokerCumQuantity: .zero,
            pendingClose: nil, holdAmount: nil, hold: nil, reason: nil, needsReview: false, version: 0)
    }

    /// An order as a store kept it.
    public init(
        id: OrderID, terms: OrderTerms, lifecycle: OrderLifecycle, submission: Submission,
        cancellation: Cancellation, cancelAttempts: Int, executions: ExecutionBook, brokerCumQuantity: Quantity,
        pendingClose: PendingClose?, holdAmount: Money?, hold: HoldID?, reason: ReasonCode?, needsReview: Bool,
        version: Int64
    ) {
        self.id = id
        self.terms = terms
        self.lifecycle = lifecycle
        self.submission = submission
        self.cancellation = cancellation
        self.cancelAttempts = cancelAttempts
        self.executions = executions
        self.brokerCumQuantity = brokerCumQuantity
        self.pendingClose = pendingClose
        self.holdAmount = holdAmount
        self.hold = hold
        self.reason = reason
        self.needsReview = needsReview
        self.version = version
    }

    /// CumQty (14): the sum of the live executions.
    public var cumQuantity: Quantity { executions.cumQuantity }

    /// LeavesQty (151): what can still be filled; zero when the order is over.
    public var leavesQuantity: Quantity {
        switch lifecycle {
        case .closed, .denied: return .zero
        case .received, .held, .queued, .working:
            return Quantity(unscaled: max(0, terms.quantity.unscaled - cumQuantity.unscaled))
        }
    }

    /// AvgPx (6); nil without executions.
    public var averagePrice: Price? { executions.averagePrice }

    /// Whether more was filled than ordered.
    public var isOverfilled: Bool { cumQuantity > terms.quantity }

    /// OrdStatus (39). Review outranks the rest of a live order, then unconfirmed, then pending cancel (FIX 4.4).
    public var status: OrderStatus {
        switch lifecycle {
        case .denied: return .denied
        case .closed(.filled): return .filled
        case .closed(.canceled): return .canceled
        case .closed(.rejected): return .rejected
        case .closed(.expired): return .expired
        case .received, .held: return needsReview ? .needsReview : .pendingNew
        case .queued:
            if needsReview { return .needsReview }
            switch submission.state {
            case .unknown: return .unconfirmed
            case .ready, .sent, .confirmed, .refused: return cancellation.isWanted ? .pendingCancel : .pendingNew
            }
        case .working:
            if needsReview { return .needsReview }
            if cancellation.isWanted { return .pendingCancel }
            return cumQuantity.isPositive ? .partiallyFilled : .new
        }
    }

    /// The one place where an order changes.
    ///
    /// Applying a fact twice changes nothing the second time. A change adds one to `version` and tells the customer
    /// when status or filled quantity moved.
    /// - Returns: what has to be done, in this order.
    /// - Throws: `InvalidTransition`; the order is then unchanged.
    public mutating func apply(
        _ event: OrderEvent, rules: DispatchRules
    ) throws(InvalidTransition) -> [OrderAction] {
        var next = self
        var actions: [OrderAction]
        do {
            actions = try next.transition(event, rules)
        } catch {
            throw InvalidTransition(order: id, status: status, event: event.name, problem: error.problem)
        }
        guard next != self else { return actions }
        next.version += 1
        if next.status != status || next.cumQuantity != cumQuantity {
            actions.append(.notifyCustomer(next.status, cumQuantity: next.cumQuantity))
        }
        self = next
        return actions
    }

    private mutating func transition(_ event: OrderEvent, _ rules: DispatchRules) throws(Refusal) -> [OrderAction] {
        switch event {
        case .denied(let reason): try deny(reason)
        case .validated(let amount): try validate(amount)
        case .held(let hold): try take(hold)
        case .queued(let at): try queue(at)
        case .lapsed: try lapse()

        case .sending(let attempt, let at): try startAttempt(attempt, at, rules)
        case .notSent(let at): try attemptNotSent(at, rules)
        case .outcomeUnknown(let at): try attemptUnknown(at, rules)
        case .acknowledged(let brokerOrder): confirm(brokerOrder)
        case .refused(let reason): try attemptRefused(reason)
        case .rejected(let reason): rejectOrder(reason)
        case .lookUpMissed(let at): lookUpMissed(at, rules)
        case .lookUpFailed(let at): lookUpFailed(at, rules)
        case .resendWithdrawn(let at): try withdrawResend(at, rules)
        case .reported(let view): report(view)

        case .filled(let execution): try fill(execution)
        case .busted(let reference, let bust): try bustExecution(reference, bust)
        case .corrected(let reference, let replacement): try correctExecution(reference, replacement)
        case .feeReported(let fee, let execution): try setFee(fee, execution)

        case .cancelRequested(let at): try wishCancel(at, rules)
        case .cancelSending(let attempt, _): try startCancel(attempt)
        case .cancelAcknowledged: cancelTaken()
        case .cancelRefused(let reason): cancelRefused(reason)
        case .cancelFoundNoOrder(let at): cancelFoundNoOrder(at, rules)
        case .cancelOutcomeUnknown(let at): cancelUnknown(at, rules)
        case .canceled(let cumQuantity): end(.canceled, brokerCumQuantity: cumQuantity)
        case .expired(let cumQuantity): end(.expired, brokerCumQuantity: cumQuantity)
        case .closeOverdue: try closeOverdue()

        case .concludedNeverAccepted: try concludeByPerson()
        case .resumed(let at): try resume(at)
        }
    }

    struct Refusal: Error {
        let problem: InvalidTransition.Problem
        static let notInThisState = Refusal(problem: .notInThisState)
        static let notAllowedNow = Refusal(problem: .notAllowedNow)
    }
}

// Before anything is sent.
extension Order {
    private mutating func deny(_ reason: ReasonCode) throws(Refusal) -> [OrderAction] {
        switch lifecycle {
        case .received, .held:
            lifecycle = .denied(reason)
            self.reason = reason
            return hold == nil ? [] : [.releaseHold]
        case .queued, .working, .closed, .denied: throw .notInThisState
        }
    }

    private mutating func validate(_ amount: Money?) throws(Refusal) -> [OrderAction] {
        switch lifecycle {
        case .received:
            guard amount.map({ $0.isPositive && $0.currency == terms.currency }) ?? true else { throw .notAllowedNow }
            holdAmount = amount
            return amount.map { [.placeHold($0)] } ?? []
        case .held, .queued, .working, .closed, .denied: throw .notInThisState
        }
    }

    private mutating func take(_ hold: HoldID) throws(Refusal) -> [OrderAction] {
        switch lifecycle {
        case .received:
            self.hold = hold
            lifecycle = .held
            return []
        case .held, .queued, .working, .closed, .denied: throw .notInThisState
        }
    }

    private mutating func queue(_ at: UnixTime) throws(Refusal) -> [OrderAction] {
        switch lifecycle {
        case .held:
            lifecycle = .queued
            return [.dispatch(attempt: 1, at: at)]
        case .received, .queued, .working, .closed, .denied: throw .notInThisState
        }
    }

    private mutating func lapse() throws(Refusal) -> [OrderAction] {
        guard lifecycle == .queued, submission.state == .ready, submission.sentAttempts == 0 else {
            throw .notInThisState
        }
        return close(.expired)
    }
}

// The end.
extension Order {
    /// Ends the order. What is planned is void, what is left of the hold goes back.
    mutating func close(_ closing: OrderLifecycle.Closing) -> [OrderAction] {
        let voided = voidPlan()
        lifecycle = .closed(closing)
        pendingClose = nil
        needsReview = false
        return voided + (hold == nil ? [] : [.releaseHold])
    }

    /// The broker says that the order is over. When it counts more executions than have arrived, the end waits for them.
    mutating func end(_ closing: OrderLifecycle.Closing, brokerCumQuantity told: Quantity) -> [OrderAction] {
        let highestTold = brokerCumQuantity
        brokerCumQuantity = max(highestTold, told)
        switch lifecycle {
        case .closed, .denied:
            return told > cumQuantity ? [.fetchExecutions] : []  // No status overwrites a final one.
        case .received, .held, .queued, .working:
            var actions = confirm(nil)
            if told < max(highestTold, cumQuantity) { actions.append(.alert(.brokerCountsLess(told))) }
            if told > cumQuantity {
                pendingClose = PendingClose(
                    closing: closing, brokerCumQuantity: max(told, pendingClose?.brokerCumQuantity ?? told))
                return actions + [.fetchExecutions]
            }
            return actions + close(closing)
        }
    }

    /// The feed's word that the broker rejected the order.
    mutating func rejectOrder(_ reason: ReasonCode) -> [OrderAction] {
        switch lifecycle {
        case .closed: return []
        case .denied: return []
        case .received, .held:
            return contradiction(.rejectedBeforeQueued)
        case .queued, .working:
            self.reason = reason
            let actions: [OrderAction] =
                cumQuantity.isPositive ? [.alert(.contradiction(.rejectedAfterFill))] : []
            let closing = actions + close(.rejected)
            if submission.state != .confirmed { submission.state = .refused }
            return closing
        }
    }

    private mutating func closeOverdue() throws(Refusal) -> [OrderAction] {
        switch lifecycle {
        case .received, .held, .closed, .denied: throw .notInThisState
        case .queued, .working:
            guard brokerCumQuantity > cumQuantity else { throw .notInThisState }
            guard !needsReview else { return [] }
            needsReview = true
            return [.alert(.executionsMissing(brokerCumQuantity: brokerCumQuantity))]
        }
    }

    /// Evidence that contradicts our own record: nothing is lost, and a person looks.
    mutating func contradiction(_ what: OrderAlert.Contradiction) -> [OrderAction] {
        guard !needsReview else { return [] }
        needsReview = true
        return [.alert(.contradiction(what))]
    }
}
