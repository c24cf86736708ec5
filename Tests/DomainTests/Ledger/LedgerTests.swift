import Domain
import Testing

private func won(_ amount: Int64) -> Money { Money(minorUnits: amount, currency: .krw) }
private func cents(_ amount: Int64) -> Money { Money(minorUnits: amount, currency: .usd) }
private let entryID = try! JournalEntryID("entry-1")
private let customer = LedgerAccount.customer(try! AccountID("krw-1"))

@Suite struct JournalEntryTests {
    @Test func balancedEntriesAreTaken() throws {
        let entry = try JournalEntry(
            id: entryID,
            postings: [
                Posting(customer, won(-1379)), Posting(.fxLiquidity, won(1379)), Posting(.fxLiquidity, cents(-100)),
                Posting(.customer(try AccountID("usd-1")), cents(99)), Posting(.rounding, cents(1)),
            ])
        let back = try entry.reversed(id: try JournalEntryID("entry-2"))
        #expect(back.postings.map(\.amount.minorUnits) == entry.postings.map { -$0.amount.minorUnits })
        let moved = try JournalEntry(id: entryID, moving: won(500), from: customer, to: .external)
        #expect(moved.postings == [Posting(customer, won(-500)), Posting(.external, won(500))])
    }

    @Test func unbalancedEntriesAreRefused() {
        func entry(_ postings: Posting...) throws(LedgerError) -> JournalEntry {
            try JournalEntry(id: entryID, postings: postings)
        }
        #expect(throws: LedgerError.tooFewPostings) { try entry(Posting(customer, won(1))) }
        #expect(throws: LedgerError.unbalanced(.krw, by: 1)) {
            try entry(Posting(customer, won(-1)), Posting(.fees, won(2)))
        }
        #expect(throws: LedgerError.unbalanced(.krw, by: -1)) {
            try entry(Posting(customer, won(-1)), Posting(.fees, cents(1)))
        }
        #expect(throws: LedgerError.zeroPosting(customer)) {
            try entry(Posting(customer, won(0)), Posting(.fees, won(0)))
        }
        #expect(throws: LedgerError.notPositive(won(0))) {
            try JournalEntry(id: entryID, moving: won(0), from: customer, to: .fees)
        }
        // A sum that would wrap around in 64 bits is still not zero.
        #expect(throws: LedgerError.unbalanced(.krw, by: -(Int128(Int64.max) + 1) * 2)) {
            try entry(Posting(customer, won(.min)), Posting(.fees, won(.min)))
        }
        #expect(throws: LedgerError.unbalanced(.krw, by: -1)) {
            try entry(Posting(customer, won(.min)), Posting(.fees, won(.max)))
        }
    }

    @Test func accountsHaveStoredNames() throws {
        for account in LedgerAccount.internalAccounts + [customer] {
            #expect(LedgerAccount(account.text) == account)
        }
        #expect(Set(LedgerAccount.internalAccounts.map(\.text)).count == LedgerAccount.internalAccounts.count)
        #expect(LedgerAccount("customer:") == nil)
        #expect(LedgerAccount("internal:unheard-of") == nil)
    }
}

@Suite struct HoldAndBalanceTests {
    @Test func aHoldResolvesByCapturesAndOneRelease() throws {
        var hold = try Hold(id: HoldID("h"), amount: cents(1000))
        #expect(try hold.capture(cents(400)) == hold.capture(cents(400)))
        #expect(hold.remaining == cents(200))
        let last = try hold.capture(cents(300))
        #expect(last.fromHold == cents(200) && last.fromAvailable == cents(100))
        #expect(try hold.release() == cents(0))
        #expect(throws: LedgerError.holdClosed(hold.id)) { try hold.release() }
        let late = try hold.capture(cents(5))  // a fill after the end
        #expect(late.fromHold == cents(0) && late.fromAvailable == cents(5))
        #expect(throws: LedgerError.self) { try hold.capture(cents(-1)) }
        #expect(throws: LedgerError.self) { try hold.capture(won(1)) }
        #expect(throws: LedgerError.self) { try Hold(id: HoldID("h"), amount: cents(0)) }
    }

    @Test func storedHoldsMustAddUp() throws {
        let id = try HoldID("h")
        func stored(_ captured: Int64, _ released: Int64, _ closed: Bool) -> Hold? {
            Hold(id: id, amount: cents(10), captured: cents(captured), released: cents(released), isClosed: closed)
        }
        #expect(stored(4, 0, false)?.remaining == cents(6))
        #expect(stored(4, 6, true)?.remaining == cents(0))
        #expect(stored(4, 5, true) == nil)
        #expect(stored(4, 6, false) == nil)
        #expect(stored(11, 0, false) == nil)
        #expect(stored(-1, 0, false) == nil)
    }

    /// The published table: the first withdrawal lost its lock, the second took 500 of 2,000 won.
    @Test func aSecondWithdrawalSeesTheFirst() throws {
        var balance = try Balance(balance: won(2000), held: won(0))
        try balance.withdraw(won(500))
        #expect(throws: LedgerError.insufficientFunds(available: won(1500), required: won(2000))) {
            try balance.withdraw(won(2000))
        }
        #expect(balance.balance == won(1500))
    }

    @Test func impossibleBalancesAreRefused() {
        #expect(throws: LedgerError.self) { try Balance(balance: won(1), held: won(2)) }
        #expect(throws: LedgerError.self) { try Balance(balance: won(1), held: won(-1)) }
        #expect(throws: LedgerError.self) { try Balance(balance: won(1), held: cents(1)) }
        var balance = Balance(.krw)
        #expect(throws: LedgerError.self) { try balance.deposit(won(0)) }
        #expect(throws: LedgerError.self) { try balance.deposit(cents(1)) }
        #expect(throws: LedgerError.self) { try balance.hold(won(1)) }
        #expect(throws: LedgerError.self) { try balance.free(won(1)) }
    }

    /// held = captured + released + remaining, and 0 <= held <= balance, whatever happens.
    @Test(arguments: seeds)
    func moneyIsConserved(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var balance = Balance(.usd)
        var holds: [Hold] = []
        var expected: Int64 = 0
        for step in 0..<500 {
            let amount = Int64.random(in: 1...1000, using: &generator)
            let label: Comment = "seed \(seed) step \(step)"
            do {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0:
                    try balance.deposit(cents(amount))
                    expected += amount
                case 1:
                    try balance.withdraw(cents(amount))
                    expected -= amount
                case 2:
                    try balance.hold(cents(amount))
                    holds.append(try Hold(id: HoldID("h\(step)"), amount: cents(amount)))
                case 3 where !holds.isEmpty:
                    let index = Int.random(in: 0..<holds.count, using: &generator)
                    var hold = holds[index]
                    try balance.take(hold.capture(cents(amount)))
                    holds[index] = hold
                    expected -= amount
                case 4 where !holds.isEmpty:
                    let index = Int.random(in: 0..<holds.count, using: &generator)
                    var hold = holds[index]
                    try balance.free(hold.release())
                    holds[index] = hold
                default: break
                }
            } catch LedgerError.insufficientFunds { continue } catch LedgerError.holdClosed { continue }
            #expect(balance.balance == cents(expected), label)
            #expect(balance.held == (try Money.sum(holds.map(\.remaining), in: .usd)), label)
            #expect(!balance.available.isNegative && !balance.held.isNegative, label)
            for hold in holds {
                #expect(try hold.captured + hold.released + hold.remaining == hold.amount, label)
            }
        }
    }
}

@Suite struct MoneyOperationTests {
    static let stored: [StoredOperation?] = [
        nil, StoredOperation(bodyHash: "a", outcome: .applied), StoredOperation(bodyHash: "a", outcome: .refused("NO")),
        StoredOperation(bodyHash: nil, outcome: .sealed), StoredOperation(bodyHash: "a", outcome: .reversed),
    ]

    @Test(
        arguments: zip(
            stored,
            [
                OperationDecision.attempt, .answer(.applied), .answer(.refused("NO")), .answer(.sealed),
                .answer(.reversed),
            ]))
    func applyingWithTheSameBody(stored: StoredOperation?, decision: OperationDecision) {
        #expect(OperationDecision(.apply(bodyHash: "a"), stored: stored) == decision)
    }

    @Test(
        arguments: zip(
            stored,
            [
                OperationDecision.attempt, .refuseOtherBody, .refuseOtherBody, .answer(.sealed), .refuseOtherBody,
            ]))
    func applyingWithAnotherBody(stored: StoredOperation?, decision: OperationDecision) {
        #expect(OperationDecision(.apply(bodyHash: "b"), stored: stored) == decision)
    }

    @Test(
        arguments: zip(
            stored,
            [
                OperationDecision.seal, .answer(.applied), .answer(.refused("NO")), .answer(.sealed),
                .answer(.reversed),
            ]))
    func resolving(stored: StoredOperation?, decision: OperationDecision) {
        #expect(OperationDecision(.resolve, stored: stored) == decision)
    }

    @Test(
        arguments: zip(
            stored,
            [
                OperationDecision.seal, .reverse, .answer(.refused("NO")), .answer(.sealed), .answer(.reversed),
            ]))
    func cancelling(stored: StoredOperation?, decision: OperationDecision) {
        #expect(OperationDecision(.cancel, stored: stored) == decision)
    }
}

@Suite struct InterestTests {
    private let twoPercent = [InterestTier(upTo: nil, rate: BasisPoints(200))]

    @Test(arguments: [
        (2_000_000, 109, 10, 0, 99), (50_000_000, 2739, 380, 30, 2329), (100_000_000, 5479, 760, 70, 4649),
        (200_000, 10, 0, 0, 10), (0, 0, 0, 0, 0), (-5, 0, 0, 0, 0), (18_249, 0, 0, 0, 0), (18_250, 1, 0, 0, 1),
    ])
    func oneDayAtTwoPercent(balance: Int64, gross: Int64, income: Int64, local: Int64, net: Int64) throws {
        let paid = try InterestPayment(endOfDayBalances: [won(balance)], tiers: twoPercent, currency: .krw)
        #expect(paid.gross == won(gross))
        #expect(paid.incomeTax == won(income))
        #expect(paid.localTax == won(local))
        #expect(paid.net == won(net))
        #expect(paid.isPayable == (gross > 0))
    }

    @Test(arguments: [(71, 0, 0), (72, 10, 0), (714, 90, 0), (715, 100, 10)])
    func taxThresholds(gross: Int64, income: Int64, local: Int64) throws {
        let paid = try paying(gross)
        #expect(paid.incomeTax == won(income) && paid.localTax == won(local))
    }

    /// The legal form (10 percent of the tax) equals 1.4 percent of the interest, floored to ten, up to two million won.
    @Test func bothReadingsOfTheLocalTaxAgree() throws {
        for gross in stride(from: Int64(0), through: 2_000_000, by: 1) {
            let legal = gross * 14 / 100 / 10 * 10 / 10 / 10 * 10
            if legal != gross * 14 / 1000 / 10 * 10 { Issue.record("gross \(gross)") }
        }
        #expect(try paying(2_000_000).localTax == won(28_000))
    }

    @Test func splittingAClaimLegitimatelyChangesTheTax() throws {
        let daily = try InterestPayment(endOfDayBalances: [won(200_000)], tiers: twoPercent, currency: .krw)
        let once = try InterestPayment(
            endOfDayBalances: Array(repeating: won(200_000), count: 30), tiers: twoPercent, currency: .krw)
        #expect(daily.net.minorUnits * 30 == 300)
        #expect(once.gross == won(328) && once.net == won(288))
    }

    @Test func tiersTakeTheirSlices() throws {
        let tiers = [
            InterestTier(upTo: won(50_000_000), rate: BasisPoints(230)),
            InterestTier(upTo: nil, rate: BasisPoints(100)),
        ]
        let paid = try InterestPayment(endOfDayBalances: [won(80_000_000)], tiers: tiers, currency: .krw)
        // (50,000,000 x 230 + 30,000,000 x 100) / 3,650,000
        #expect(paid.gross == won(3972))
        #expect(throws: MoneyError.self) {
            try InterestPayment(endOfDayBalances: [cents(1)], tiers: tiers, currency: .krw)
        }
    }

    @Test func periodsRunFromTheDayAfterToYesterday() throws {
        let today = try #require(CivilDate("2026-11-21"))
        #expect(InterestPayment.period(lastPaid: today - 1, today: today) == nil)
        #expect(InterestPayment.period(lastPaid: today - 2, today: today) == (today - 1)...(today - 1))
        #expect(InterestPayment.period(lastPaid: today - 10, today: today)?.lowerBound == today - 9)
        #expect(InterestPayment.period(lastPaid: today + 5, today: today) == nil)
    }

    /// A payment with exactly this gross: a day's balance at 100 percent.
    private func paying(_ gross: Int64) throws -> InterestPayment {
        let tiers = [InterestTier(upTo: nil, rate: .whole)]
        let paid = try InterestPayment(endOfDayBalances: [won(gross * 365)], tiers: tiers, currency: .krw)
        #expect(paid.gross == won(gross))
        return paid
    }
}
