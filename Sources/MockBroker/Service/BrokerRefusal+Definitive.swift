internal import Contracts
package import Domain

extension BrokerRefusal {
    /// Reasons of PlaceOrder, CancelOrder and ReplaceOrder that prove that nothing was done: those in the table of
    /// refusals whose certainty is so, one for each field and case that these calls can meet.
    package static let definitiveReasons: [ReasonCode] = met.filter(\.isDefinitive).map(\.reason)
    private static let definitive = Set(definitiveReasons)

    private var isDefinitive: Bool { refusal.certainty == .definitelyNotDone }

    /// Whether the record tells of this refusal as far as it has to: what fails here is missing in `met`.
    var isTold: Bool { !isMetByOrders || !isDefinitive || Self.definitive.contains(reason) }

    /// Whether PlaceOrder, CancelOrder or ReplaceOrder can end with it, as far as that is known before it happens.
    private var isMetByOrders: Bool {
        switch self {
        case .invalidField(_, let reason, _): !Self.otherFieldReasons.contains(reason)
        case .unknownSymbol, .quantityTooLarge, .priceOffTick, .priceOutOfRange, .positionLimit,
            .insufficientBuyingPower, .insufficientShares, .clientIDsUnsupported, .duplicateID, .idReused,
            .unknownOrder,
            .alreadyFilled, .alreadyCanceled, .alreadyExpired, .alreadyRejected, .cancelPending, .replacePending,
            .suspended, .idOutdated, .replaceImmediate, .replaceBelowFilled, .busy, .bookFull, .stopping, .storeFailed,
            .unknownNamespace:
            true
        // A rule's own words.
        case .told: false
        case .fillTooLarge, .unknownExecution, .alreadyBusted, .executionOutdated, .nothingToCorrect,
            .tooManyExecutions, .unknownCursor, .unknownPageToken, .tradeDateNotOver, .invalidSetting, .namespaceExists,
            .tooManyNamespaces, .unknownRule, .unknownPreset, .tooManyRules:
            false
        }
    }

    /// What those calls can meet, with arguments that do not matter.
    private static let met: [BrokerRefusal] =
        fieldReasons.map { .invalidField(path: "", reason: $0, problem: "") } + [
            .unknownSymbol(sample()), .quantityTooLarge(limitShares: 0), .priceOffTick(tick: .zero), .priceOutOfRange,
            .positionLimit, .insufficientBuyingPower(needed: .zero(.usd), available: .zero(.usd)),
            .insufficientShares(available: .zero), .clientIDsUnsupported(path: ""),
            .duplicateID(order: sample(), status: .new), .idReused(sample()), .unknownOrder, .alreadyFilled(sample()),
            .alreadyCanceled(sample()), .alreadyExpired(sample()), .alreadyRejected(sample()), .cancelPending(sample()),
            .replacePending(sample()), .suspended(sample()), .idOutdated(latest: sample()), .replaceImmediate,
            .replaceBelowFilled(filled: .zero), .busy,
            .bookFull(limit: 0), .stopping, .storeFailed, .unknownNamespace(""),
        ]

    /// What can be wrong with a single field of them.
    private static let fieldReasons: [ReasonCode] = [
        "ACCOUNT_INVALID", "CLIENT_ORDER_ID_INVALID", "ORDER_ID_INVALID", "ORDER_ID_AMBIGUOUS", "SYMBOL_INVALID",
        "SIDE_UNSUPPORTED", "ORD_TYPE_UNSUPPORTED", "TIME_IN_FORCE_UNSUPPORTED", "ORDER_QTY_MISSING",
        "ORDER_QTY_NOT_POSITIVE", "ORDER_QTY_NOT_WHOLE", "PRICE_MISSING", "PRICE_NOT_ALLOWED", "PRICE_NOT_POSITIVE",
        "DECIMAL_OUT_OF_RANGE",
    ]

    /// What can be wrong with a field of other calls.
    private static let otherFieldReasons: Set<ReasonCode> = [
        "BEHAVIOR_MISSING", "EXEC_ID_INVALID", "POSITION_DOUBLED", "MASS_STATUS_REQ_ID_INVALID", "ORDER_ID_MISSING",
        "PAGE_INVALID", "PAGE_SIZE_INVALID",
        "QTY_NOT_POSITIVE", "RULE_MISSING", "TOO_MANY_ACCOUNTS", "TRADE_DATE_INVALID",
    ]

    private static func sample<Kind>() -> ID<Kind> {
        guard let id = ID<Kind>(rawValue: "A") else { preconditionFailure("A is no id of this kind") }
        return id
    }
}
