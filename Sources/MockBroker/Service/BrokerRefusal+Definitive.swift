internal import Contracts
package import Domain

extension BrokerRefusal {
    /// Reasons of PlaceOrder, CancelOrder and ReplaceOrder that prove that nothing was done: those in the table of
    /// refusals whose certainty is so, one for each field and case that these calls can meet.
    package static let definitiveReasons: [ReasonCode] = met.filter(\.isDefinitive).map(\.reason)
    private var isDefinitive: Bool { refusal.certainty == .definitelyNotDone }

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

    private static func sample<Kind>() -> ID<Kind> {
        guard let id = ID<Kind>(rawValue: "A") else { preconditionFailure("A is no id of this kind") }
        return id
    }
}
