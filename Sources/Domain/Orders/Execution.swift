/// Shares that changed hands for an order, as the fill receiver stored them.
public struct Execution: Hashable, Sendable {
    /// Ours, a function of the broker's id; the only key by which duplicates are recognised.
    public let id: ExecutionID
    /// LastQty (32), above zero.
    public let quantity: Quantity
    /// LastPx (31), above zero.
    public let price: Price
    /// All fees of this execution in the order's currency; zero when they are reported later.
    public let fee: Money
    /// CumQty (14) at the broker after this execution; nil when the broker does not tell.
    public let brokerCumQuantity: Quantity?
    /// TransactTime (60) at the venue.
    public let transactTime: UnixTime

    public init(
        id: ExecutionID, quantity: Quantity, price: Price, fee: Money, brokerCumQuantity: Quantity? = nil,
        transactTime: UnixTime
    ) {
        self.id = id
        self.quantity = quantity
        self.price = price
        self.fee = fee
        self.brokerCumQuantity = brokerCumQuantity
        self.transactTime = transactTime
    }

    /// Whether `other` tells of the same shares at the same price. Fees may be told later and are not compared.
    func tellsTheSame(as other: Execution) -> Bool { quantity == other.quantity && price == other.price }

    /// Whether `other` looks like this execution under another id: the broker's cumulative quantity has not moved.
    func isTwin(of other: Execution) -> Bool {
        guard let brokerCumQuantity, id != other.id else { return false }
        return brokerCumQuantity == other.brokerCumQuantity && tellsTheSame(as: other)
            && transactTime == other.transactTime
    }
}
