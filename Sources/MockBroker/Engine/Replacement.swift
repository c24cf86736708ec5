package import Domain

/// What a client asks a working order to become. Two requests under one id are the same if these are equal.
package struct ReplaceTerms: Hashable, Sendable {
    /// The new total, not what is left.
    package let quantity: Quantity
    /// Nil for market orders.
    package let limit: Price?

    package init(quantity: Quantity, limit: Price?) {
        self.quantity = quantity
        self.limit = limit
    }
}

/// A replacement that was taken on.
package struct Replacement: Hashable, Sendable {
    /// The order's id once it is carried out.
    package let request: ClientOrderID
    package let terms: ReplaceTerms
    /// When it is carried out.
    package let due: UnixTime
    /// The OrderID (37) that it gives the order; nil leaves the old one.
    package let newID: BrokerOrderID?

    package init(request: ClientOrderID, terms: ReplaceTerms, due: UnixTime, newID: BrokerOrderID? = nil) {
        self.request = request
        self.terms = terms
        self.due = due
        self.newID = newID
    }
}
