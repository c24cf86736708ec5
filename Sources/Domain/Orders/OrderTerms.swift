/// What a customer asked for. Fixed for the life of the order.
public struct OrderTerms: Hashable, Sendable {
    public let customer: CustomerID
    /// The account that pays and receives.
    public let account: AccountID
    /// The customer's own id of the order; unique per customer.
    public let clientOrder: ClientOrderID
    public let instrument: InstrumentID
    /// The currency in which the instrument trades.
    public let currency: Currency
    public let side: Side
    public let type: OrderType
    public let timeInForce: TimeInForce
    public let quantity: Quantity

    public init(
        customer: CustomerID, account: AccountID, clientOrder: ClientOrderID, instrument: InstrumentID,
        currency: Currency, side: Side, type: OrderType, timeInForce: TimeInForce, quantity: Quantity
    ) {
        self.customer = customer
        self.account = account
        self.clientOrder = clientOrder
        self.instrument = instrument
        self.currency = currency
        self.side = side
        self.type = type
        self.timeInForce = timeInForce
        self.quantity = quantity
    }

    /// 32 hexadecimal digits over every field: two requests under one client order id are the same request if and
    /// only if their fingerprints are equal. Taken from values, not from bytes on a wire.
    public var fingerprint: String {
        var hash = StableHash()
        hash.combine("order-terms-1")
        hash.combine(customer.text)
        hash.combine(account.text)
        hash.combine(clientOrder.text)
        hash.combine(instrument.text)
        hash.combine(currency.code)
        hash.combine(side.rawValue)
        hash.combine(type.name.rawValue)
        hash.combine(type.limitPrice?.unscaled ?? 0)
        hash.combine(timeInForce.rawValue)
        hash.combine(quantity.unscaled)
        return hash.hexadecimal
    }
}
