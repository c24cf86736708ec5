package import Domain

/// Shares that changed hands, as that stands now.
package struct BookExecution: Hashable, Sendable {
    /// Index in `BrokerBook.orders`.
    package let order: Int
    /// The order's report that told of it first, by its ordinal.
    package let first: Int
    /// The order's report that told of it last: the first, or its latest correction.
    package internal(set) var latest: Int
    package internal(set) var quantity: Quantity
    package internal(set) var price: Price
    /// Nil while it is still to come.
    package internal(set) var commission: Money?
    /// The New York date that the trade belongs to.
    package let tradeDate: CivilDate
    package let at: UnixTime
    package internal(set) var isBusted = false
    /// The correction of its plan is not made yet.
    var awaitsCorrection: Bool
    /// When its commission comes by itself, or it is void.
    let aftermath: FillAftermath
}

/// What an execution stands for from now on.
package struct ExecutionCorrection: Hashable, Sendable {
    package let quantity: Quantity
    package let price: Price
    /// Nil while the commission is still to come.
    package let commission: Money?
    /// Whether the order's script brought it about, and not a hand.
    package let isPlanned: Bool
    /// For people.
    package let text: String

    package init(quantity: Quantity, price: Price, commission: Money?, isPlanned: Bool, text: String) {
        self.quantity = quantity
        self.price = price
        self.commission = commission
        self.isPlanned = isPlanned
        self.text = text
    }
}
