// Axis C: executions are facts. They are booked in every state; what does not fit is booked and flagged.
extension Order {
    mutating func fill(_ execution: Execution) throws(Refusal) -> [OrderAction] {
        let wasOver = isOver
        let change = try booking { (book) throws(BookingError) in try book.book(execution) }
        var actions = confirm(nil)
        switch change.refusal {
        case .duplicate: return actions
        case .conflicting(let id): return actions + [.alert(.conflictingExecution(id))]
        case .twin(let other): return actions + [.alert(.suspiciousTwin(execution.id, of: other))]
        case nil: break
        }
        if let told = execution.brokerCumQuantity { brokerCumQuantity = max(brokerCumQuantity, told) }
        actions += try settle(change, execution.id, key: "fill/\(execution.id)")
        if wasOver, !change.booked.isEmpty { actions.append(.alert(.lateExecution(execution.id))) }
        return actions + finish(after: change)
    }

    mutating func bustExecution(_ reference: ExecutionID, _ bust: ExecutionID) throws(Refusal) -> [OrderAction] {
        let change = try booking { (book) throws(BookingError) in try book.bust(reference, by: bust) }
        let evidence = confirm(nil)
        guard change.refusal == nil else { return evidence }
        return try evidence + settle(change, reference, key: "bust/\(bust)") + [.alert(.reversed(reference))]
    }

    mutating func correctExecution(
        _ reference: ExecutionID, _ replacement: Execution
    ) throws(Refusal) -> [OrderAction] {
        let change = try booking { (book) throws(BookingError) in try book.correct(reference, with: replacement) }
        let evidence = confirm(nil)
        switch change.refusal {
        case .duplicate: return evidence
        case .conflicting(let id): return evidence + [.alert(.conflictingExecution(id))]
        case .twin, nil: break
        }
        return try evidence + settle(change, replacement.id, key: "correct/\(replacement.id)")
            + [.alert(.reversed(reference))] + finish(after: change)
    }

    mutating func setFee(_ fee: Money, _ execution: ExecutionID) throws(Refusal) -> [OrderAction] {
        let change = try booking { (book) throws(BookingError) in try book.setFee(fee, of: execution) }
        guard change.refusal == nil else { return [] }
        return try settle(change, execution, key: "fee/\(execution)/\(version + 1)")
    }

    private var isOver: Bool {
        switch lifecycle {
        case .closed, .denied: true
        case .received, .held, .queued, .working: false
        }
    }

    private mutating func booking(
        _ body: (inout ExecutionBook) throws(BookingError) -> ExecutionBook.Change
    ) throws(Refusal) -> ExecutionBook.Change {
        do { return try body(&executions) } catch { throw Refusal(problem: .booking(error)) }
    }

    /// What the change means for shares and money.
    private func settle(
        _ change: ExecutionBook.Change, _ execution: ExecutionID, key suffix: String
    ) throws(Refusal) -> [OrderAction] {
        let shares: [OrderAction] =
            change.reversed.map { .reversePosition($0) } + change.booked.map { .bookPosition($0) }
        do {
            let cash = try cashToCustomer(change)
            guard !cash.isZero else { return shares }
            let key = try OperationKey("\(id)/\(suffix)")
            if cash.isPositive { return shares + [.credit(cash, execution: execution, key: key)] }
            let due = try -cash
            switch terms.side {
            case .buy: return shares + [.captureHold(due, execution: execution, key: key)]
            case .sell: return shares + [.debit(due, execution: execution, key: key)]
            }
        } catch { throw Refusal(problem: .booking(.outOfRange)) }
    }

    private func cashToCustomer(_ change: ExecutionBook.Change) throws -> Money {
        switch terms.side {
        case .buy: try -(change.value + change.fee)
        case .sell: try change.value - change.fee
        }
    }

    /// Ends the order when its executions say so.
    private mutating func finish(after change: ExecutionBook.Change) -> [OrderAction] {
        var actions: [OrderAction] = []
        if isOverfilled, !change.booked.isEmpty {
            let excess = Quantity(unscaled: cumQuantity.unscaled - terms.quantity.unscaled)
            actions.append(.alert(.overfilled(by: excess)))
        }
        switch lifecycle {
        case .closed, .denied: return actions
        case .received, .held, .queued, .working:
            if cumQuantity >= terms.quantity { return actions + close(.filled) }
            if let pending = pendingClose, cumQuantity >= pending.brokerCumQuantity {
                return actions + close(pending.closing)
            }
            return actions
        }
    }
}
