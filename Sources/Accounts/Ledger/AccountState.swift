import Domain

/// A customer's account as the ledger has it at one version.
struct AccountState: Sendable, Hashable {
    let id: AccountID
    let customer: CustomerID
    var balance: Balance
    /// Counts every change, from 1.
    var version: Int64
    /// A closed account takes no new holds, withdrawals and deposits; its holds can still be settled.
    let isOpen: Bool

    var currency: Currency { balance.currency }
}
