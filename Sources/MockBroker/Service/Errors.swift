package import Domain

/// The table of what the broker refuses with: a stable reason for programs.
extension Refusal {
    /// A stable upper-case code.
    package var reason: ReasonCode {
        switch self {
        case .invalidField(_, let reason, _): reason
        case .unknownSymbol: "UNKNOWN_SYMBOL"
        case .quantityTooLarge: "ORDER_QTY_TOO_LARGE"
        case .priceOffTick: "PRICE_OFF_TICK"
        case .priceOutOfRange: "PRICE_OUT_OF_RANGE"
        case .positionLimit: "POSITION_LIMIT_EXCEEDED"
        case .duplicateID: "DUPLICATE_CLIENT_ORDER_ID"
        case .idReused: "CLIENT_ORDER_ID_REUSED"
        case .unknownOrder: "UNKNOWN_ORDER"
        case .alreadyFilled: "ALREADY_FILLED"
        case .alreadyCanceled: "ALREADY_CANCELED"
        case .alreadyExpired: "ALREADY_EXPIRED"
        case .cancelPending: "CANCEL_PENDING"
        case .fillTooLarge: "FILL_EXCEEDS_LEAVES"
        case .unknownCursor: "UNKNOWN_CURSOR"
        case .busy: "BUSY"
        case .bookFull: "BOOK_FULL"
        case .stopping: "STOPPING"
        case .storeFailed: "STORE_FAILED"
        case .invalidBehavior: "BEHAVIOR_INVALID"
        }
    }
}
