/// One regular session of the New York Stock Exchange.
public struct TradingSession: Hashable, Sendable {
    /// The New York date.
    public let tradeDate: CivilDate
    public let opensAt: UnixTime
    public let closesAt: UnixTime
    /// Whether it closes at 13:00 instead of 16:00.
    public let isHalfDay: Bool
}
