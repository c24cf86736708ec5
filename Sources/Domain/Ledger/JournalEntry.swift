/// Postings that belong together and sum to zero in each currency. There is no other way to move money.
public struct JournalEntry: Hashable, Sendable {
    public let id: JournalEntryID
    /// At least two, none of them zero.
    public let postings: [Posting]

    /// - Throws: `LedgerError` when the postings do not balance.
    public init(id: JournalEntryID, postings: [Posting]) throws(LedgerError) {
        guard postings.count >= 2 else { throw .tooFewPostings }
        var sums: [Currency: Int128] = [:]
        for posting in postings {
            guard !posting.amount.isZero else { throw .zeroPosting(posting.account) }
            sums[posting.amount.currency, default: 0] += Int128(posting.amount.minorUnits)
        }
        for currency in Currency.allCases {
            if let sum = sums[currency], sum != 0 { throw .unbalanced(currency, by: sum) }
        }
        self.id = id
        self.postings = postings
    }

    /// `amount` from one account to another.
    ///
    /// - Throws: `LedgerError.notPositive` unless `amount` is above zero.
    public init(
        id: JournalEntryID, moving amount: Money, from source: LedgerAccount, to target: LedgerAccount
    ) throws(LedgerError) {
        guard amount.isPositive else { throw .notPositive(amount) }
        let taken = Money(minorUnits: -amount.minorUnits, currency: amount.currency)
        try self.init(id: id, postings: [Posting(source, taken), Posting(target, amount)])
    }

    /// The entry that takes this one back, under an id of its own.
    ///
    /// - Throws: `LedgerError.outOfRange` for an amount that has no opposite.
    public func reversed(id: JournalEntryID) throws(LedgerError) -> JournalEntry {
        var opposite: [Posting] = []
        for posting in postings {
            do { opposite.append(Posting(posting.account, try -posting.amount)) } catch { throw .outOfRange }
        }
        return try JournalEntry(id: id, postings: opposite)
    }
}
