package import Domain

extension BrokerBook {
    /// Decides a request to replace an order, made under the id of `request`. Changes nothing.
    ///
    /// The same request again is answered again. One that comes too late is refused and the order stays as it is. When
    /// fills overtake a replacement, the last one wins the race; a total that they have reached or passed meanwhile
    /// closes the order, filled, under its new id.
    package func replace(
        _ target: OrderName, by terms: ReplaceTerms, request: OrderKey, _ arrival: Arrival = .uneventful,
        at now: UnixTime, _ venue: BookRules
    ) throws(BrokerRefusal) -> Decision<BrokerOrderID> {
        guard remembers(request) || idCount < venue.idLimit else { throw .bookFull(limit: venue.idLimit) }
        let place = try find(target, path: "orig_client_order_id")
        let order = orders[place]
        if behavior.hasClientIDs {
            let history = history(request)
            if let earlier = history.replacement {
                guard earlier.order == place, earlier.terms == terms else { throw .idReused(request.clientOrder) }
                return Decision(records: [], answer: order.id)
            }
            guard history.lastOrder == nil, history.canceledOrder == nil else { throw .idReused(request.clientOrder) }
        }
        try order.refuseUnlessWorking()
        if case .client(let key) = target, key.clientOrder != order.content.key.clientOrder {
            throw .idOutdated(latest: order.content.key.clientOrder)
        }
        try validate(terms, of: order)
        try checkBuyingPower(
            order.content(terms), Quantity(unscaled: terms.quantity.unscaled - order.filled.unscaled),
            insteadOf: order.id, at: now)
        try arrival.refuse()
        let delay = arrival.slowness
        let replacement = Replacement(
            request: request.clientOrder, terms: terms, due: now + delay,
            newID: arrival.givesNewID ? order.newID(for: request.clientOrder) : nil)
        var records: [BrokerRecord] = [.replaceRequested(order.id, replacement, at: now)]
        // Without a delay it cannot be overtaken, and the answer shows the replaced order.
        if delay == .zero {
            records.append(.replaced(order.id, plan(of: order, after: replacement, at: now, venue), at: now))
        }
        return Decision(records: records, answer: order.id)
    }

    private func validate(_ terms: ReplaceTerms, of order: BookOrder) throws(BrokerRefusal) {
        switch (order.content.type, terms.limit) {
        case (.market, nil), (.limit, _?): break
        case (.market, _?):
            throw .invalidField(
                path: "price", reason: "PRICE_NOT_ALLOWED", problem: "does not belong to a market order")
        case (.limit, nil):
            throw .invalidField(path: "price", reason: "PRICE_MISSING", problem: "belongs to a limit order")
        }
        switch order.content.timeInForce {
        case .day, .goodTillCancel: break
        case .immediateOrCancel, .fillOrKill: throw .replaceImmediate
        }
        try validateTerms(order.content(terms))
        guard terms.quantity > order.filled else { throw .replaceBelowFilled(filled: order.filled) }
        let more = Quantity(unscaled: max(0, terms.quantity.unscaled - order.content.quantity.unscaled))
        guard reserving(more, and: order.template.excess, for: PositionKey(of: order.content)) != nil else {
            throw .positionLimit
        }
    }

    /// How the order fills once it is replaced: anew by its script, for what is left then; nil when it rests.
    func plan(
        of order: BookOrder, after replacement: Replacement, at now: UnixTime, _ venue: BookRules
    ) -> FillPlan? {
        let left = replacement.terms.quantity.unscaled - order.filled.unscaled
        guard left > 0, let price = price(of: order.content.symbol, at: now), behavior.fillMode == .marketable,
            venue.session(behavior.sessionMode, from: now).contains(now),
            order.content(replacement.terms).isMarketable(at: price)
        else { return nil }
        return plan(order.template, Quantity(unscaled: left), price: price, from: now, venue)
    }
}

extension BookOrder {
    /// What is asked for with these terms.
    fileprivate func content(_ terms: ReplaceTerms) -> OrderContent {
        OrderContent(
            key: content.key, symbol: content.symbol, side: content.side,
            type: terms.limit.map { .limit($0) } ?? .market, quantity: terms.quantity, timeInForce: content.timeInForce)
    }
}
