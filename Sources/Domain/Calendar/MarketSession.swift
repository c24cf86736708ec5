/// The parts of a trading day in New York.
public enum MarketSession: String, Hashable, Sendable, CaseIterable {
    /// 04:00 to 09:30 on a session's date.
    case pre = "PRE"
    /// 09:30 to 16:00, or to 13:00 on a half day.
    case core = "CORE"
    /// From the close to 20:00, or to 17:00 on a half day.
    case post = "POST"
    /// 20:00 on the eve of a session's date to 04:00; night venues.
    case overnight = "OVERNIGHT"
    case closed = "CLOSED"
}
