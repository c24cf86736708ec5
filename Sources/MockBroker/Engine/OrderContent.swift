package import Domain

/// Under which an order or a cancel request is known to the broker: client order ids are unique within an account.
package struct OrderKey: Hashable, Sendable {
    package let account: AccountID
    package let clientOrder: ClientOrderID

    package init(account: AccountID, clientOrder: ClientOrderID) {
        self.account = account
        self.clientOrder = clientOrder
    }
}

/// What a client asked for. Two requests under one id are the same request if their contents are equal.
package struct OrderContent: Hashable, Sendable {
    package let key: OrderKey
    package let symbol: InstrumentID
    package let side: Side
    package let type: OrderType
    package let quantity: Quantity
    package let timeInForce: TimeInForce

    package init(
        key: OrderKey, symbol: InstrumentID, side: Side, type: OrderType, quantity: Quantity, timeInForce: TimeInForce
    ) {
        self.key = key
        self.symbol = symbol
        self.side = side
        self.type = type
        self.quantity = quantity
        self.timeInForce = timeInForce
    }

    /// Whether the order can trade at `price` at once.
    package func isMarketable(at price: Price) -> Bool {
        switch (type, side) {
        case (.market, _): true
        case (.limit(let limit), .buy): price <= limit
        case (.limit(let limit), .sell): price >= limit
        }
    }
}

/// Whose shares of what.
package struct PositionKey: Hashable, Sendable {
    package let account: AccountID
    package let symbol: InstrumentID

    package init(account: AccountID, symbol: InstrumentID) {
        self.account = account
        self.symbol = symbol
    }

    /// The position that an order changes.
    init(of content: OrderContent) { self.init(account: content.key.account, symbol: content.symbol) }
}
