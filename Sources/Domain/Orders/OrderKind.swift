/// One pair of order type and time in force.
public struct OrderKind: Hashable, Sendable {
    public let type: OrderType.Name
    public let timeInForce: TimeInForce

    public init(_ type: OrderType.Name, _ timeInForce: TimeInForce) {
        self.type = type
        self.timeInForce = timeInForce
    }

    /// Every pair.
    public static let all: Set<OrderKind> = Set(
        OrderType.Name.allCases.flatMap { type in TimeInForce.allCases.map { OrderKind(type, $0) } })
}
