package import Domain

extension BrokerBook {
    /// Decides an attempt to place an order. Changes nothing.
    ///
    /// - Parameter traceparent: what came with the request as its trace, for the reports of the order that it makes.
    package func place(
        _ content: OrderContent, traceparent: String = "", at now: UnixTime, _ rules: BookRules
    ) -> Decision<PlaceAnswer> {
        let key = content.key
        let history = history(key)
        guard remembers(key) || idCount < rules.idLimit else {
            return refuse(.bookFull(limit: rules.idLimit), [], fate: .deliver(after: .zero))
        }
        let attempt = history.attempts + 1
        func draw(_ knob: Draw.Knob) -> Draw { Draw(knob, seed: behavior.seed, subject: key, ordinal: attempt) }
        func attempted(_ outcome: AttemptOutcome, lost: Bool) -> BrokerRecord {
            .attempted(BrokerRecord.Attempt(key: key, outcome: outcome, replyLost: lost, at: now))
        }

        guard !draw(.lostRequest).hits(per10000: behavior.lostRequestPer10000) else {
            return Decision(
                records: [attempted(.requestLost, lost: false)],
                answer: PlaceAnswer(content: .requestLost, fate: .lose))
        }
        let inTime = ReplyFate.deliver(after: draw(.replyLatency).duration(behavior.replyLatency))
        let isLost =
            attempt <= Int(behavior.loseFirstReplies)
            || draw(.lostReply).hits(per10000: behavior.lostReplyPer10000)
        let fate = isLost ? ReplyFate.lose : inTime

        if history.canceledOrder != nil {
            return refuse(.idReused(key.clientOrder), [attempted(.refused, lost: false)], fate: inTime)
        }
        if let first = history.firstOrder.map({ orders[$0] }) {
            switch behavior.idempotencyMode {
            case .returnOriginal, .rejectDuplicate:
                guard first.content == content else {
                    return refuse(.idReused(key.clientOrder), [attempted(.refused, lost: false)], fate: inTime)
                }
                guard behavior.idempotencyMode == .returnOriginal else {
                    let refusal = BrokerRefusal.duplicateID(order: first.id, status: first.status)
                    return refuse(refusal, [attempted(.duplicate, lost: isLost)], fate: fate)
                }
                return Decision(
                    records: [attempted(.replayed, lost: isLost)],
                    answer: PlaceAnswer(content: .replayed(first.id), fate: fate))
            case .echoOnly: break
            }
        }
        do throws(BrokerRefusal) {
            let price = try validate(content)
            let acceptance = accept(
                content, traceparent: traceparent, ordinal: history.orderCount + 1, price: price, at: now, rules)
            return Decision(
                records: [attempted(.accepted, lost: isLost)] + acceptance.records,
                answer: PlaceAnswer(content: .accepted(acceptance.answer), fate: fate))
        } catch {
            return refuse(error, [attempted(.refused, lost: false)], fate: inTime)
        }
    }

    /// The price at which the symbol trades now.
    private func validate(_ content: OrderContent) throws(BrokerRefusal) -> Price {
        guard let price = prices[content.symbol] else { throw .unknownSymbol(content.symbol) }
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
        _ content: OrderContent, traceparent: String, ordinal: Int, price: Price, at now: UnixTime, _ rules: BookRules
    ) -> Decision<BrokerOrderID> {
        let id = BookOrder.id(for: content.key, ordinal: ordinal)
        let isMarketable = content.isMarketable(at: price) && behavior.fillMode == .marketable
        var behavior = behavior
        let isImmediate: Bool
        switch content.timeInForce {
        case .day, .goodTillCancel: isImmediate = false
        case .immediateOrCancel: isImmediate = true
        case .fillOrKill:
            isImmediate = true
            behavior.fillParts = 1
        }
        let plan =
            isMarketable
            ? FillPlan.draw(behavior, content, order: ordinal, quantity: content.quantity, price: price, from: now)
            : nil
        let expires = content.timeInForce == .day ? rules.calendar.end(of: rules.calendar.tradeDate(at: now)) : nil
        let acceptance = BrokerRecord.Acceptance(
            id: id, content: content, ordinal: ordinal, plan: plan, expires: expires, traceparent: traceparent, at: now)
        let mustEnd = isImmediate && plan == nil
        return Decision(
            records: [.accepted(acceptance)] + (mustEnd ? [.canceled(id, .notMarketable, at: now)] : []), answer: id)
    }

    private func refuse(
        _ refusal: BrokerRefusal, _ records: [BrokerRecord], fate: ReplyFate
    ) -> Decision<PlaceAnswer> {
        Decision(records: records, answer: PlaceAnswer(content: .refused(refusal), fate: fate))
    }
}
