internal import Domain

extension BrokerBook {
    /// A market order is counted at the price of now and 5 percent more.
    private static let marketMargin = BasisPoints(500)

    /// Refuses an order that its account could not pay for, or of shares that it does not have, where the broker looks.
    ///
    /// Counts the worst case of the order and of what is left of the account's open orders. Looks at all of them.
    ///
    /// - Parameters:
    ///   - quantity: how much of the order is to trade yet; nil means all.
    ///   - replaced: an open order that it takes the place of.
    func checkBuyingPower(
        _ content: OrderContent, _ quantity: Quantity? = nil, insteadOf replaced: BrokerOrderID? = nil,
        at now: UnixTime
    ) throws(BrokerRefusal) {
        guard behavior.checksBuyingPower else { return }
        let account = content.key.account
        let quantity = quantity ?? content.quantity
        let open = orderIndex.openOrders(of: account).map { orders[$0] }.filter {
            $0.content.side == content.side && $0.id != replaced
        }
        let book = accounts.book(of: account)
        switch content.side {
        case .buy:
            let cash = book?.balance.cash ?? behavior.openingCash
            let reserved = open.reduce(Int128(0)) { $0 + worstCost($1.content, $1.leaves, at: now) }
            let needed = worstCost(content, quantity, at: now)
            let available = Int128(cash.minorUnits) - reserved
            guard needed <= available else {
                throw .insufficientBuyingPower(needed: Money(cents: needed), available: Money(cents: available))
            }
        case .sell:
            let held = book?.shares[content.symbol]?.unscaled ?? 0
            let promised = open.filter { $0.content.symbol == content.symbol }.reduce(0) { $0 + $1.leaves.unscaled }
            guard quantity.unscaled <= held - promised else {
                throw .insufficientShares(available: Quantity(unscaled: held - promised))
            }
        }
    }

    /// In US cents, with commission.
    private func worstCost(_ content: OrderContent, _ quantity: Quantity, at now: UnixTime) -> Int128 {
        let price: Price
        if let limit = content.type.limitPrice {
            price = limit
        } else {
            let current = Int128((self.price(of: content.symbol, at: now) ?? .zero).unscaled)
            let factor = Int128(10_000 + Self.marketMargin.rawValue)
            price = Price(unscaled: Int64(clamping: RoundingRule.ceiling.quotient(current * factor, by: 10_000)))
        }
        return price.cents(of: quantity, .ceiling) + Int128(behavior.commission(quantity, at: price).minorUnits)
    }
}
