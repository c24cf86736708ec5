package import Domain

/// One account: its opening cash and everything that moved since, in order of the feed.
package struct AccountBook: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// Of the report that moved it.
        package let sequence: Int
        package let tradeDate: CivilDate
        package let at: UnixTime
        package let movement: Movement

        package init(sequence: Int, tradeDate: CivilDate, at: UnixTime, movement: Movement) {
            self.sequence = sequence
            self.tradeDate = tradeDate
            self.at = at
            self.movement = movement
        }
    }

    /// A sum of entries, upon the opening cash.
    package struct Balance: Hashable, Sendable {
        private var cashCents: Int128
        private var commissionCents: Int128 = 0

        fileprivate init(openingCash: Money) { cashCents = Int128(openingCash.minorUnits) }

        fileprivate mutating func add(_ movement: Movement) {
            cashCents += Int128(movement.cents) - Int128(movement.commissionCents)
            commissionCents += Int128(movement.commissionCents)
        }

        /// Opening cash, less purchases, plus sales, less commissions.
        package var cash: Money { Money(cents: cashCents) }
        package var commissions: Money { Money(cents: commissionCents) }
    }

    package let openingCash: Money
    package private(set) var entries: [Entry] = []
    /// Of everything.
    package private(set) var balance: Balance
    /// Bought less sold.
    package private(set) var shares: [InstrumentID: Quantity] = [:]

    package init(openingCash: Money) {
        self.openingCash = openingCash
        balance = Balance(openingCash: openingCash)
    }

    package mutating func add(_ entry: Entry) {
        entries.append(entry)
        balance.add(entry.movement)
        Self.add(entry.movement, to: &shares)
    }

    private static func add(_ movement: Movement, to shares: inout [InstrumentID: Quantity]) {
        let held = shares[movement.symbol] ?? .zero
        // No account may order more than fits (`BrokerRefusal.positionLimit`).
        shares[movement.symbol] = Quantity(unscaled: held.unscaled + movement.shares.unscaled)
    }

    /// The account as it was after these entries, of which it looks at all.
    package func after(_ isIncluded: (Entry) -> Bool) -> AccountBook {
        var past = AccountBook(openingCash: openingCash)
        for entry in entries where isIncluded(entry) { past.add(entry) }
        return past
    }

    /// What will still move at settlement.
    package func unsettled(at now: UnixTime, _ calendar: any TradingCalendar) -> Money {
        // Trade dates never fall, so that those that are settled come first.
        let open = entries.reversed().prefix { calendar.settlementTime(of: $0.tradeDate) > now }
        return Money(cents: open.reduce(0) { $0 + Int128($1.movement.cents) - Int128($1.movement.commissionCents) })
    }
}
