/// Axis B for a cancel: the customer's wish and its request in flight.
public enum Cancellation: Hashable, Sendable {
    case none
    /// The customer wants it; no request has left, perhaps because the broker may not have the order yet.
    case wanted
    /// A request may have left.
    case sent(attempt: Int)
    /// Nobody knows whether the broker has the request; the same one is sent again.
    case unknown(attempt: Int)
    /// The broker has taken the request on; its report tells when the order is cancelled.
    case confirmed
    /// The broker refused the request; the order goes on as before.
    case refused(ReasonCode)

    /// Whether the customer's wish stands.
    public var isWanted: Bool {
        switch self {
        case .wanted, .sent, .unknown, .confirmed: true
        case .none, .refused: false
        }
    }
}
