package import Domain

extension BrokerBook {
    /// What to record about the earliest thing that is due by `now`; nil when there is none.
    ///
    /// Apply the record before asking again. The time of the record is when it fell due, so that a broker which slept
    /// (or was killed) tells the same story as one which did not, unless `now` was set back.
    package mutating func recordDue(by now: UnixTime, _ rules: BookRules) -> BrokerRecord? {
        var looks = 0
        while let item = nextDue(), item.at <= now, item.kind == .look {
            guard looks < Self.looksAtOnce else { return nil }
            looks += 1
            look(item, rules)
        }
        guard let item = nextDue(), item.at <= now else { return nil }
        let order = orders[item.order]
        switch item.kind {
        case .look: preconditionFailure("a look makes no record")
        case .touch:
            guard let price = price(of: order.content.symbol, at: item.at),
                let plan = plan(order.template, order.leaves, price: price, from: item.at, rules)
            else { preconditionFailure("an order without a price or a plan was touched") }
            return .planned(order.id, plan, at: item.at)
        case .cancel: return .canceled(order.id, .request, at: item.at)
        case .expire: return .expired(order.id, at: item.at)
        case .fill:
            guard let plan = order.plan else { preconditionFailure("a fill is due without a plan") }
            // A hand may have filled some of it meanwhile.
            let quantity = min(plan.parts[item.part].quantity, order.leaves)
            return .filled(fill(order, quantity, at: plan.price, isPlanned: true, at: item.at, rules))
        }
    }

    /// Decides a fill by hand of the order under `clientOrder`. Changes nothing.
    ///
    /// - Parameters:
    ///   - account: nil takes the latest order under the id in any account.
    ///   - quantity: nil fills all that is left.
    ///   - price: nil takes the current price.
    package func fillByHand(
        _ clientOrder: ClientOrderID, account: AccountID?, quantity: Quantity?, price: Price?, at now: UnixTime,
        _ rules: BookRules
    ) throws(BrokerRefusal) -> BrokerRecord {
        let found =
            if let account {
                order(OrderKey(account: account, clientOrder: clientOrder))
            } else {
                orders.last { $0.content.key.clientOrder == clientOrder }
            }
        guard let order = found else { throw .unknownOrder }
        switch order.life {
        case .filled: throw .alreadyFilled(order.id)
        case .canceled: throw .alreadyCanceled(order.id)
        case .expired: throw .alreadyExpired(order.id)
        case .working, .cancelPending: break
        }
        let quantity = quantity ?? order.leaves
        guard quantity.isPositive else {
            throw .invalidField(path: "qty", reason: "QTY_NOT_POSITIVE", problem: "must be above zero")
        }
        guard quantity <= order.leaves else { throw .fillTooLarge(leaves: order.leaves) }
        guard let price = price ?? self.price(of: order.content.symbol, at: now) else {
            throw .unknownSymbol(order.content.symbol)
        }
        guard price.isPositive else {
            throw .invalidField(path: "price", reason: "PRICE_NOT_POSITIVE", problem: "must be above zero")
        }
        guard price.unscaled <= BookRules.maximumPriceDollars * 10_000 else { throw .priceOutOfRange }
        return .filled(fill(order, quantity, at: price, isPlanned: false, at: now, rules))
    }

    private func fill(
        _ order: BookOrder, _ quantity: Quantity, at price: Price, isPlanned: Bool, at time: UnixTime,
        _ rules: BookRules
    ) -> BrokerRecord.Fill {
        BrokerRecord.Fill(
            order: order.id, quantity: quantity, price: price, commission: behavior.commission(quantity, at: price),
            tradeDate: rules.calendar.tradeDate(at: time), isPlanned: isPlanned, at: time)
    }
}
