/// How a broker sees an order at the moment of a look-up.
public struct BrokerOrderView: Hashable, Sendable {
    public enum Status: Hashable, Sendable {
        case working
        case filled
        case canceled
        case expired
        case rejected(ReasonCode)
    }

    public let brokerOrder: BrokerOrderID?
    public let status: Status
    public let cumQuantity: Quantity

    public init(brokerOrder: BrokerOrderID?, status: Status, cumQuantity: Quantity) {
        self.brokerOrder = brokerOrder
        self.status = status
        self.cumQuantity = cumQuantity
    }
}
