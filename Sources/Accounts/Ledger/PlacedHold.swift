import Domain

/// A hold with what the ledger knows of it beyond its amounts.
struct PlacedHold: Sendable, Hashable {
    let account: AccountID
    let order: OrderID
    var hold: Hold
    /// What captures took beyond the hold, from the available balance.
    var excess: Money

    var id: HoldID { hold.id }
    var currency: Currency { hold.amount.currency }
}

/// A hold and its account, before or after an operation.
struct HeldAccount: Sendable, Hashable {
    var hold: PlacedHold
    var account: AccountState
}
