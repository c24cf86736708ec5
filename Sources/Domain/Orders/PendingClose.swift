/// An end that the broker has reported, held back until the executions it counts have arrived.
public struct PendingClose: Hashable, Sendable {
    public let closing: OrderLifecycle.Closing
    /// What the broker says was filled.
    public let brokerCumQuantity: Quantity

    public init(closing: OrderLifecycle.Closing, brokerCumQuantity: Quantity) {
        self.closing = closing
        self.brokerCumQuantity = brokerCumQuantity
    }
}
