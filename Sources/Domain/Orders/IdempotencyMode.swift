/// What a broker does when a client order id comes a second time.
public enum IdempotencyMode: String, Sendable, Hashable, CaseIterable {
    /// The first answer comes again.
    case returnOriginal = "RETURN_ORIGINAL"
    /// The repeat is refused as a duplicate, which proves that the first was accepted.
    case rejectDuplicate = "REJECT_DUPLICATE"
    /// The id is echoed and not checked: a repeat makes a second order.
    case echoOnly = "ECHO_ONLY"
    /// There is no client order id for the broker: nothing can be found by it, and nothing carries it.
    case absent = "NONE"

    /// Whether sending the same id again can never make a second order.
    public var makesResendSafe: Bool {
        switch self {
        case .returnOriginal, .rejectDuplicate: true
        case .echoOnly, .absent: false
        }
    }
}
