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
