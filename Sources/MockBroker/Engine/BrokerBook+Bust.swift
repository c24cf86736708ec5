package import Domain

extension BrokerBook {
    /// A window with more executions is not voided at once.
    package static let massBustLimit = 100_000

    /// Decides that a trade is void. Changes nothing.
    package func bust(
        _ id: BrokerExecutionID, text: String, at now: UnixTime, _ venue: BookRules
    ) throws(BrokerRefusal) -> BrokerRecord {
        .busted(self.id(of: try liveExecution(id)), text: text, on: venue.calendar.tradeDate(at: now), at: now)
    }

    /// The trades in a window of time that are not void, oldest first.
    ///
    /// - Parameters:
    ///   - symbol: nil means all.
    package func liveExecutions(
        from start: UnixTime?, to end: UnixTime?, _ symbol: InstrumentID?
    ) throws(BrokerRefusal) -> [BrokerExecutionID] {
        let found = executions.filter { execution in
            !execution.isBusted && (start ?? execution.at) <= execution.at && end.map { execution.at < $0 } ?? true
                && (symbol ?? orders[execution.order].content.symbol) == orders[execution.order].content.symbol
        }
        guard found.count <= Self.massBustLimit else { throw .tooManyExecutions(limit: Self.massBustLimit) }
        return found.map { id(of: $0) }
    }

    /// Decides what a trade stands for from now on; nil leaves it. Changes nothing.
    package func correct(
        _ id: BrokerExecutionID, quantity: Quantity?, price: Price?, text: String, at now: UnixTime,
        _ venue: BookRules
    ) throws(BrokerRefusal) -> BrokerRecord {
        let execution = try liveExecution(id)
        let newQuantity = quantity ?? execution.quantity
        let newPrice = price ?? execution.price
        guard newQuantity.isPositive else {
            throw .invalidField(path: "qty", reason: "QTY_NOT_POSITIVE", problem: "must be above zero")
        }
        guard newQuantity.unscaled <= BookRules.maximumShares * Quantity.nanosPerShare else {
            throw .invalidField(
                path: "qty", reason: "QTY_TOO_LARGE", problem: "is above \(BookRules.maximumShares) shares")
        }
        try validateTrade(newPrice)
        guard newQuantity != execution.quantity || newPrice != execution.price else { throw .nothingToCorrect }
        let more = Quantity(unscaled: max(0, newQuantity.unscaled - execution.quantity.unscaled))
        guard reserving(more, and: .zero, for: PositionKey(of: orders[execution.order].content)) != nil else {
            throw .positionLimit
        }
        return .corrected(
            self.id(of: execution),
            correction(of: execution, newQuantity, newPrice, isPlanned: false, text: text),
            on: venue.calendar.tradeDate(at: now), at: now)
    }

    /// The trade that this id names: its own, or that of its latest correction.
    private func liveExecution(_ id: BrokerExecutionID) throws(BrokerRefusal) -> BookExecution {
        guard let execution = execution(id) else { throw .unknownExecution(id) }
        guard !execution.isBusted else { throw .alreadyBusted(id) }
        let latest = latestID(of: execution)
        guard id == latest || id == self.id(of: execution) else { throw .executionOutdated(latest: latest) }
        return execution
    }
}
