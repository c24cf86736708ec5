package import Domain

extension BrokerBook {
    /// Decides an attempt to place an order. Changes nothing.
    ///
    /// - Parameters:
    ///   - traceparent: what came with the request as its trace, for the reports of the order that it makes.
    ///   - arrival: what rules made of the request.
    package func place(
        _ content: OrderContent, traceparent: String = "", _ arrival: Arrival = .uneventful, at now: UnixTime,
        _ venue: BookRules
    ) throws(BrokerRefusal) -> Decision<PlaceAnswer> {
        let key = content.key
        let history = history(key)
        guard remembers(key) || idCount < venue.idLimit else { throw .bookFull(limit: venue.idLimit) }
        let isTaken = history.canceledOrder != nil || history.replacement != nil
        guard !isTaken || !behavior.hasClientIDs else { throw .idReused(key.clientOrder) }
        if let known = history.lastOrder.map({ orders[$0] }),
            behavior.remembers(known.acceptedAt, at: now, venue.calendar)
        {
            switch behavior.idempotencyMode {
            case .returnOriginal, .rejectDuplicate:
                guard known.placed == content || behavior.ignoresChangedRepeats else {
                    throw .idReused(key.clientOrder)
                }
                guard behavior.idempotencyMode == .returnOriginal else {
                    throw .duplicateID(order: known.id, status: known.status)
                }
                return Decision(records: [], answer: .replayed(known.id))
            case .echoOnly, .absent: break
            }
        }
        let price = try validate(content, arrival.template, at: now)
        try checkBuyingPower(content, at: now)
        try arrival.refuse()
        return accept(
            content, traceparent: traceparent, ordinal: history.orderCount + 1, arrival, price: price, at: now, venue)
    }

    /// The price at which the symbol trades now.
    private func validate(
        _ content: OrderContent, _ template: FillTemplate, at now: UnixTime
    ) throws(BrokerRefusal) -> Price {
        guard let price = price(of: content.symbol, at: now) else { throw .unknownSymbol(content.symbol) }
        try validateTerms(content)
        guard reserving(content.quantity, and: template.excess, for: PositionKey(of: content)) != nil else {
            throw .positionLimit
        }
        return price
    }

    /// Refuses quantities and limits that no order may have.
    func validateTerms(_ content: OrderContent) throws(BrokerRefusal) {
        guard content.quantity.isPositive else {
            throw .invalidField(
                path: "order_qty", reason: "ORDER_QTY_NOT_POSITIVE", problem: "must be above zero")
        }
        guard content.quantity.isWhole else {
            throw .invalidField(path: "order_qty", reason: "ORDER_QTY_NOT_WHOLE", problem: "must be whole shares")
        }
        guard content.quantity.unscaled / Quantity.nanosPerShare <= BookRules.maximumShares else {
            throw .quantityTooLarge(limitShares: BookRules.maximumShares)
        }
        if case .limit(let limit) = content.type {
            guard limit.isPositive else {
                throw .invalidField(path: "price", reason: "PRICE_NOT_POSITIVE", problem: "must be above zero")
            }
            guard limit.unscaled <= BookRules.maximumPriceDollars * 10_000 else { throw .priceOutOfRange }
            // Rule 612: a cent from one dollar on, a hundredth of a cent below.
            let tick = Price(unscaled: limit.unscaled >= 10_000 ? 100 : 1)
            guard limit.unscaled % tick.unscaled == 0 else { throw .priceOffTick(tick: tick) }
        }
    }

    private func accept(
        _ content: OrderContent, traceparent: String, ordinal: Int, _ arrival: Arrival, price: Price,
        at now: UnixTime, _ venue: BookRules
    ) -> Decision<PlaceAnswer> {
        let id = BookOrder.id(for: content.key, ordinal: ordinal)
        let fate = OrderFate(arrival.orderFaults, from: now)
        let isImmediate: Bool
        var template = fate.isDoomed ? arrival.template.never : arrival.template
        switch content.timeInForce {
        case .day, .goodTillCancel: isImmediate = false
        case .immediateOrCancel: isImmediate = true
        case .fillOrKill:
            isImmediate = true
            template = template.whole(content.quantity)
        }
        let session = venue.session(behavior.sessionMode, from: now)
        let canFill =
            content.isMarketable(at: price) && behavior.fillMode == .marketable && session.contains(now)
        let isAheadOfItself = template.comesBeforeAcknowledgement && canFill
        let plan =
            canFill
            ? self.plan(
                isAheadOfItself ? template.atOnce : template, content.quantity, price: price, from: now, venue) : nil
        var acknowledgement = fate.acknowledgement
        if isAheadOfItself, plan != nil, acknowledgement == .once { acknowledgement = .afterFills }
        let sessionEnd =
            behavior.sessionMode == .always
            ? venue.calendar.end(of: venue.calendar.tradeDate(at: now)) : session.upperBound
        let expires = content.timeInForce == .day ? sessionEnd : nil
        let acceptance = BrokerRecord.Acceptance(
            id: id, content: content, ordinal: ordinal, template: template, plan: plan, expires: expires,
            traceparent: traceparent, acknowledgement: acknowledgement, turns: fate.turns, at: now)
        var records: [BrokerRecord] = [.accepted(acceptance)]
        if isAheadOfItself, let plan {
            var room = content.quantity
            for part in plan.parts {
                let quantity = template.quantity(of: part, room: room)
                records.append(.filled(fill(id, part, quantity, at: now, venue)))
                room = Quantity(unscaled: room.unscaled - quantity.unscaled)
            }
        }
        switch acknowledgement {
        case .twice, .afterFills: records.append(.acknowledged(id, at: now))
        case .once, .never: break
        }
        // A doomed order waits for its end, whatever its time in force.
        if isImmediate, plan == nil, !fate.isDoomed { records.append(.canceled(id, .notMarketable, at: now)) }
        return Decision(records: records, answer: .accepted(id))
    }
}
