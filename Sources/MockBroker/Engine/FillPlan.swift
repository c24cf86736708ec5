package import Domain

/// The fills that an order will get by itself, earliest first. Fixed when the order is accepted, touched by the price or
/// replaced, and part of the record, so that later changes of rules or price do not alter it.
package struct FillPlan: Hashable, Sendable {
    package struct Part: Hashable, Sendable {
        /// When the shares change hands.
        package let due: UnixTime
        package let quantity: Quantity
        package let price: Price
        package let aftermath: FillAftermath

        package init(due: UnixTime, quantity: Quantity, price: Price, aftermath: FillAftermath = FillAftermath()) {
            self.due = due
            self.quantity = quantity
            self.price = price
            self.aftermath = aftermath
        }
    }

    package let parts: [Part]

    package init(parts: [Part]) { self.parts = parts }
}

/// What comes after a fill by itself, each in microseconds after it; nil when it does not come.
package struct FillAftermath: Hashable, Sendable {
    /// Its commission, which then does not come with it.
    package var commission: Int64?
    package var bust: Int64?
    package var correction: Int64?

    package init(commission: Int64? = nil, bust: Int64? = nil, correction: Int64? = nil) {
        self.commission = commission
        self.bust = bust
        self.correction = correction
    }
}
