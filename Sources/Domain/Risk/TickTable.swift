/// The smallest price steps, by price.
public struct TickTable: Hashable, Sendable {
    /// From this price on, prices are multiples of `tick`.
    public struct Row: Hashable, Sendable {
        public let from: Price
        public let tick: Price

        public init(from: Price, tick: Price) {
            self.from = from
            self.tick = tick
        }
    }

    /// Ascending by `from`, the first from zero.
    public let rows: [Row]

    public init(rows: [Row]) {
        precondition(rows.first?.from == .zero, "a tick table starts at zero")
        precondition(zip(rows, rows.dropFirst()).allSatisfy { $0.from < $1.from }, "a tick table ascends")
        precondition(rows.allSatisfy { $0.tick.isPositive }, "a tick is above zero")
        self.rows = rows
    }

    /// 0.0001 below one dollar, 0.01 from there on (Regulation NMS, Rule 612).
    public static let unitedStates = TickTable(rows: [
        Row(from: .zero, tick: Price(unscaled: 1)), Row(from: Price(unscaled: 10_000), tick: Price(unscaled: 100)),
    ])

    /// The tick that applies at `price`, which is not negative.
    public func tick(at price: Price) -> Price {
        rows.last { $0.from <= price }?.tick ?? rows[0].tick
    }
}
