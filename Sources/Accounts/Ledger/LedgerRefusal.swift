import Domain

/// The ledger's no to an operation that is well formed, with the facts behind it.
struct LedgerRefusal: Error, Sendable, Hashable {
    /// Stored and sent.
    let reason: ReasonCode
    var context: [String: String] = [:]

    static let accountUnknown = LedgerRefusal(reason: .accountUnknown)
    static let accountClosed = LedgerRefusal(reason: .accountClosed)
    static let holdUnknown = LedgerRefusal(reason: .holdUnknown)
}

extension LedgerRefusal {
    /// What the rules of balances and holds say about an amount that is well formed.
    init(_ error: LedgerError) {
        switch error {
        case .insufficientFunds(let available, let required):
            self.init(
                reason: .insufficientFunds,
                context: [
                    "available": "\(available.minorUnits)", "wanted": "\(required.minorUnits)",
                    "currency": available.currency.code,
                ])
        case .currencyMismatch(let account, let amount):
            self.init(reason: .currencyMismatch, context: ["account": account.code, "amount": amount.code])
        case .holdClosed:
            self.init(reason: .holdClosed)
        case .outOfRange, .notPositive:
            self.init(reason: .amountOutOfRange)
        case .tooFewPostings, .zeroPosting, .unbalanced:
            preconditionFailure("postings are made by the ledger's statements")
        }
    }
}

extension ReasonCode {
    static let accountUnknown: ReasonCode = "ACCOUNT_UNKNOWN"
    static let accountClosed: ReasonCode = "ACCOUNT_CLOSED"
    static let currencyMismatch: ReasonCode = "CURRENCY_MISMATCH"
    /// The balance would leave 64 bits of minor units.
    static let amountOutOfRange: ReasonCode = "AMOUNT_OUT_OF_RANGE"
    static let holdUnknown: ReasonCode = "HOLD_UNKNOWN"
    /// The hold was released under another key.
    static let holdClosed: ReasonCode = "HOLD_CLOSED"
}
