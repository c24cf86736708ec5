/// OrdStatus (FIX 39) as the customer sees it, derived from the axes and never stored as truth.
public enum OrderStatus: String, Hashable, Sendable, CaseIterable {
    case pendingNew = "PENDING_NEW"
    case new = "NEW"
    case partiallyFilled = "PARTIALLY_FILLED"
    case filled = "FILLED"
    case pendingCancel = "PENDING_CANCEL"
    case canceled = "CANCELED"
    case rejected = "REJECTED"
    case expired = "EXPIRED"
    /// Refused by us before anything was sent.
    case denied = "DENIED"
    /// Sent, outcome unknown; the broker is being asked and the hold stays.
    case unconfirmed = "UNCONFIRMED"
    /// Automation has given up; a person decides and the hold stays.
    case needsReview = "NEEDS_REVIEW"

    /// Whether the order is over.
    public var isFinal: Bool {
        switch self {
        case .filled, .canceled, .rejected, .expired, .denied: true
        case .pendingNew, .new, .partiallyFilled, .pendingCancel, .unconfirmed, .needsReview: false
        }
    }
}
