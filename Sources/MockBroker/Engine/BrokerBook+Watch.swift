package import Domain

// Orders that rest are watched where the price or the market's hours decide by themselves when they trade. A look finds
// the time of the next touch in advance, so that nobody has to be awake for each step of a price.
extension BrokerBook {
    /// Looks that one call takes at most; what is left is done by the next one.
    static let looksAtOnce = 64

    /// Whether resting orders of `symbol` can come to trade without a record that says so.
    func needsWatch(_ symbol: InstrumentID) -> Bool { behavior.sessionMode != .always || paths[symbol] != nil }

    /// The price at which `symbol` trades at `time`; nil when it does not trade here.
    package func price(of symbol: InstrumentID, at time: UnixTime) -> Price? {
        paths[symbol]?.price(at: time) ?? prices[symbol]
    }

    /// What follows the look that is due: the touch that it found, another look later, or nothing.
    func next(after look: DueItem, _ venue: BookRules) -> DueItem? {
        guard case .look(let watch) = look.kind else { preconditionFailure("this is no look") }
        let order = orders[look.order]
        let symbol = order.content.symbol
        guard behavior.fillMode == .marketable, !order.template.isEmpty else { return nil }
        let session = venue.session(behavior.sessionMode, from: look.at)
        let start = max(look.at, session.lowerBound)
        func item(_ kind: DueItem.Kind, _ at: UnixTime) -> DueItem { DueItem(at: at, kind: kind, order: look.order) }
        guard let path = paths[symbol] else {
            let isTouched = prices[symbol].map { order.content.isMarketable(at: $0) } ?? false
            return isTouched ? item(.touch(watch: watch), start) : nil
        }
        switch path.firstTouch(of: order.content, in: start..<session.upperBound) {
        case .found(let time): return item(.touch(watch: watch), time)
        case .undecided(let time): return item(.look(watch: watch), time)
        case .nothing:
            return behavior.sessionMode == .always ? nil : item(.look(watch: watch), session.upperBound)
        }
    }

    /// The plan of an order that can trade from `time` on: no part outside the market's hours.
    func plan(
        _ template: FillTemplate, _ quantity: Quantity, price: Price, from time: UnixTime, _ venue: BookRules
    ) -> FillPlan? {
        guard let plan = template.plan(quantity, price: price, from: time) else { return nil }
        return behavior.sessionMode == .always ? plan : within(plan.parts[...], venue)
    }

    /// A plan of these parts, none of them outside the market's hours or before `earliest`.
    func within(_ parts: ArraySlice<FillPlan.Part>, notBefore earliest: UnixTime? = nil, _ venue: BookRules) -> FillPlan
    {
        FillPlan(
            parts: parts.map { part in
                let due = earliest.map { max($0, part.due) } ?? part.due
                let session = venue.session(behavior.sessionMode, from: due)
                return FillPlan.Part(
                    due: max(due, session.lowerBound), quantity: part.quantity, price: part.price,
                    aftermath: part.aftermath)
            })
    }
}

extension BookRules {
    /// The hours that are under way at `time`, or the next ones.
    func session(_ mode: Behavior.SessionMode, from time: UnixTime) -> Range<UnixTime> {
        switch mode {
        case .always: UnixTime(nanoseconds: .min)..<UnixTime(nanoseconds: .max)
        case .core: calendar.coreSession(from: time)
        case .extended: calendar.extendedSession(from: time)
        }
    }
}
