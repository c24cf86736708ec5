/// What is known about a tradable instrument.
public struct Instrument: Hashable, Sendable {
    public var id: InstrumentID
    public var name: String
    public var currency: Currency
    /// Quantities are whole multiples of it: one share, or less where fractions are traded.
    public var lot: Quantity
    public var ticks: TickTable
    /// Whether we offer it at all.
    public var isTradable: Bool
    /// Whether the venue has stopped trading in it.
    public var isHalted: Bool

    public init(
        id: InstrumentID, name: String, currency: Currency,
        lot: Quantity = Quantity(unscaled: Quantity.nanosPerShare), ticks: TickTable = .unitedStates,
        isTradable: Bool = true, isHalted: Bool = false
    ) {
        precondition(lot.isPositive, "a lot is above zero")
        self.id = id
        self.name = name
        self.currency = currency
        self.lot = lot
        self.ticks = ticks
        self.isTradable = isTradable
        self.isHalted = isHalted
    }
}

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
