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
        guard history.canceledOrder == nil || !behavior.hasClientIDs else { throw .idReused(key.clientOrder) }
        if let known = history.lastOrder.map({ orders[$0] }),
            behavior.remembers(known.acceptedAt, at: now, venue.calendar)
        {
            switch behavior.idempotencyMode {
            case .returnOriginal, .rejectDuplicate:
                guard known.content == content || behavior.ignoresChangedRepeats else {
                    throw .idReused(key.clientOrder)
                }
                guard behavior.idempotencyMode == .returnOriginal else {
                    throw .duplicateID(order: known.id, status: known.status)
                }
                return Decision(records: [], answer: .replayed(known.id))
            case .echoOnly, .absent: break
            }
        }
        let price = try validate(content, at: now)
        try checkBuyingPower(content, at: now)
        if case .refuse(let reason, let text)? = arrival.orderFault?.fault { throw .told(reason, text) }
        return accept(
            content, traceparent: traceparent, ordinal: history.orderCount + 1, template: arrival.template,
            price: price, at: now, venue)
    }

    /// The price at which the symbol trades now.
    private func validate(_ content: OrderContent, at now: UnixTime) throws(BrokerRefusal) -> Price {
        guard let price = price(of: content.symbol, at: now) else { throw .unknownSymbol(content.symbol) }
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
        let position = PositionKey(account: content.key.account, symbol: content.symbol)
        let (_, overflow) = orderedTotal(position).unscaled.addingReportingOverflow(content.quantity.unscaled)
        guard !overflow else { throw .positionLimit }
        return price
    }

    private func accept(
        _ content: OrderContent, traceparent: String, ordinal: Int, template: FillTemplate, price: Price,
        at now: UnixTime, _ venue: BookRules
    ) -> Decision<PlaceAnswer> {
        let id = BookOrder.id(for: content.key, ordinal: ordinal)
        let isImmediate: Bool
        var template = template
        switch content.timeInForce {
        case .day, .goodTillCancel: isImmediate = false
        case .immediateOrCancel: isImmediate = true
        case .fillOrKill:
            isImmediate = true
            template = template.whole
        }
        let session = venue.session(behavior.sessionMode, from: now)
        let canFill =
            content.isMarketable(at: price) && behavior.fillMode == .marketable && session.contains(now)
        let plan = canFill ? self.plan(template, content.quantity, price: price, from: now, venue) : nil
        let sessionEnd =
            behavior.sessionMode == .always
            ? venue.calendar.end(of: venue.calendar.tradeDate(at: now)) : session.upperBound
        let expires = content.timeInForce == .day ? sessionEnd : nil
        let acceptance = BrokerRecord.Acceptance(
            id: id, content: content, ordinal: ordinal, template: template, plan: plan, expires: expires,
            traceparent: traceparent, at: now)
        let mustEnd = isImmediate && plan == nil
        return Decision(
            records: [.accepted(acceptance)] + (mustEnd ? [.canceled(id, .notMarketable, at: now)] : []),
            answer: .accepted(id))
    }
}
