/// One line of a journal entry: above zero when the account receives, below zero when it gives.
public struct Posting: Hashable, Sendable {
    public let account: LedgerAccount
    public let amount: Money

    public init(_ account: LedgerAccount, _ amount: Money) {
        self.account = account
        self.amount = amount
    }
}
