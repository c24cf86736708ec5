/// An account in the books: a customer's, or one of our own.
public enum LedgerAccount: Hashable, Sendable {
    /// A customer's cash.
    case customer(AccountID)
    /// What we owe a broker or have with it.
    case brokerClearing
    /// Fees we have earned or pass on.
    case fees
    /// Taxes withheld and not yet paid on.
    case taxPayable
    /// Interest we owe customers.
    case interest
    /// The other side of exchanges, in each currency.
    case fxLiquidity
    /// Money whose owner's account cannot take it at present.
    case suspense
    /// Differences of rounding.
    case rounding
    /// The world outside: deposits from and payments to other banks.
    case external

    /// The stored name: `customer:` and the account's id, or the name of one of our own.
    public var text: String {
        switch self {
        case .customer(let id): "customer:\(id)"
        case .brokerClearing: "internal:broker-clearing"
        case .fees: "internal:fees"
        case .taxPayable: "internal:tax-payable"
        case .interest: "internal:interest"
        case .fxLiquidity: "internal:fx-liquidity"
        case .suspense: "internal:suspense"
        case .rounding: "internal:rounding"
        case .external: "internal:external"
        }
    }

    /// Our own accounts, of which each ledger has one per currency.
    public static let internalAccounts: [LedgerAccount] = [
        .brokerClearing, .fees, .taxPayable, .interest, .fxLiquidity, .suspense, .rounding, .external,
    ]

    /// The account with this stored name, or nil.
    public init?(_ text: String) {
        if let own = Self.internalAccounts.first(where: { $0.text == text }) {
            self = own
            return
        }
        guard text.hasPrefix("customer:"), let id = AccountID(rawValue: String(text.dropFirst(9))) else { return nil }
        self = .customer(id)
    }
}

extension LedgerAccount: CustomStringConvertible {
    public var description: String { text }
}
