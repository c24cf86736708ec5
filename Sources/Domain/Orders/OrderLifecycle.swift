/// Axis A: where the order stands with us. Written by the trading service only.
public enum OrderLifecycle: Hashable, Sendable {
    /// Taken in, nothing held, nothing sent.
    case received
    /// The money (or the shares) is held.
    case held
    /// Written as PENDING with its dispatch row; the broker may or may not have it.
    case queued
    /// The broker has accepted it.
    case working
    /// Over. Late executions, busts and corrections still change its quantities, never its label.
    case closed(Closing)
    /// Refused by us; nothing was ever sent.
    case denied(ReasonCode)

    public enum Closing: String, Hashable, Sendable, CaseIterable {
        case filled = "FILLED"
        case canceled = "CANCELED"
        case rejected = "REJECTED"
        case expired = "EXPIRED"
    }
}
