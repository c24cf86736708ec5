/// The rules of one kind of exchange.
public struct ExchangeRules: Hashable, Sendable {
    /// What happens when a withdrawal of unknown outcome turns out to have applied.
    public enum LateWithdrawal: Hashable, Sendable {
        /// The exchange goes on.
        case goOn
        /// The money is given back, because the customer has already seen an error.
        case giveBack
    }

    public var recheck: RecheckPolicy
    public var lateWithdrawal: LateWithdrawal

    public init(recheck: RecheckPolicy = RecheckPolicy(), lateWithdrawal: LateWithdrawal = .goOn) {
        self.recheck = recheck
        self.lateWithdrawal = lateWithdrawal
    }
}
