package import Domain

// How trades come about and change. Quantities and positions are what the trades that are not void add up to.
extension BrokerBook {
    /// The trade that a report with this id tells of: a trade, or a correction.
    package func execution(_ id: BrokerExecutionID) -> BookExecution? { executionByID[id].map { executions[$0] } }

    /// ExecID (17) of the report that told of the trade first.
    package func id(of execution: BookExecution) -> BrokerExecutionID {
        orders[execution.order].executionID(ordinal: execution.first)
    }

    /// ExecID (17) of the report that told of the trade last.
    package func latestID(of execution: BookExecution) -> BrokerExecutionID {
        orders[execution.order].executionID(ordinal: execution.latest)
    }

    mutating func book(_ fill: BrokerRecord.Fill) throws(InvalidRecord) {
        let index = try index(of: fill.order)
        var aftermath = FillAftermath()
        if fill.isPlanned {
            guard let plan = orders[index].plan, plan.parts.indices.contains(orders[index].partsDone) else {
                throw .unplanned(fill.order)
            }
            aftermath = plan.parts[orders[index].partsDone].aftermath
            orders[index].partsDone += 1
        }
        try step(index, .fill(fill.quantity))
        let number = executions.count
        let ordinal = orders[index].reports + 1
        executions.append(
            BookExecution(
                order: index, first: ordinal, latest: ordinal, quantity: fill.quantity, price: fill.price,
                commission: fill.commission, tradeDate: fill.tradeDate, at: fill.at,
                awaitsCorrection: aftermath.correction != nil, aftermath: aftermath))
        executionByID[orders[index].executionID(ordinal: ordinal)] = number
        report(.trade, index, execution: executions[number], at: fill.at)
        book(movement(executions[number]), of: index, on: fill.tradeDate, at: fill.at)
        for (delay, kind) in [
            (aftermath.commission, DueItem.Kind.charge(execution: number)),
            (aftermath.correction, .correct(execution: number)), (aftermath.bust, .bust(execution: number)),
        ] {
            guard let delay else { continue }
            expect(DueItem(at: fill.at + .microseconds(delay), kind: kind, order: index))
        }
        if fill.isPlanned { schedule(index) }
    }

    mutating func applyCharge(_ id: BrokerExecutionID, _ commission: Money, on date: CivilDate, at: UnixTime)
        throws(InvalidRecord)
    {
        let number = try live(id)
        guard executions[number].commission == nil else { throw .unknownExecution(id) }
        executions[number].commission = commission
        let execution = executions[number]
        report(
            .restated, execution.order, execution: execution, reference: execution.latest, text: "commission", at: at)
        let symbol = orders[execution.order].content.symbol
        book(
            Movement(symbol: symbol, shares: .zero, cents: 0, commissionCents: commission.minorUnits),
            of: execution.order, on: date, at: at)
    }

    mutating func applyBust(_ id: BrokerExecutionID, text: String, on date: CivilDate, at: UnixTime)
        throws(InvalidRecord)
    {
        let number = try live(id)
        let execution = executions[number]
        try step(execution.order, .amend(from: execution.quantity, to: .zero))
        executions[number].isBusted = true
        report(.tradeCancel, execution.order, execution: execution, reference: execution.latest, text: text, at: at)
        book(movement(execution).reversed, of: execution.order, on: date, at: at)
    }

    mutating func applyCorrection(
        _ id: BrokerExecutionID, _ correction: ExecutionCorrection, on date: CivilDate, at: UnixTime
    ) throws(InvalidRecord) {
        let number = try live(id)
        let old = executions[number]
        let more = correction.quantity.unscaled - old.quantity.unscaled
        // What a script corrects was counted with the order.
        if !correction.isPlanned { try reserve(Quantity(unscaled: max(0, more)), and: .zero, for: old.order) }
        try step(old.order, .amend(from: old.quantity, to: correction.quantity))
        executions[number].quantity = correction.quantity
        executions[number].price = correction.price
        executions[number].commission = correction.commission
        executions[number].latest = orders[old.order].reports + 1
        if correction.isPlanned { executions[number].awaitsCorrection = false }
        executionByID[latestID(of: executions[number])] = number
        report(
            .tradeCorrect, old.order, execution: executions[number], reference: old.latest, text: correction.text,
            at: at)
        book(movement(executions[number]).less(movement(old)), of: old.order, on: date, at: at)
    }

    /// The index of a trade that is not void.
    private func live(_ id: BrokerExecutionID) throws(InvalidRecord) -> Int {
        guard let number = executionByID[id], !executions[number].isBusted else { throw .unknownExecution(id) }
        return number
    }

    /// What the trade moves in its account.
    private func movement(_ execution: BookExecution) -> Movement {
        let content = orders[execution.order].content
        return Movement(
            content.side, execution.quantity, of: content.symbol, at: execution.price,
            commission: execution.commission ?? .zero(.usd))
    }

    /// Books what the latest report moved.
    private mutating func book(_ movement: Movement, of index: Int, on date: CivilDate, at: UnixTime) {
        accounts.book(
            movement, of: orders[index].content.key.account, sequence: feed.count, tradeDate: date, at: at)
    }
}
