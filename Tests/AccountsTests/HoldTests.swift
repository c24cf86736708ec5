import Contracts
import Postgres
import RPCCore
import TestSupport
import Testing

/// Holds, captures and releases, one caller at a time.
@Suite struct HoldTests {
    @Test func aHoldIsCapturedAndReleased() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            let placed = try await ledger.hold("o-1", "A-1", 1000)
            #expect(placed.hold?.remaining?.minor == 1000 && placed.hold?.state == .open && !placed.replayed)
            #expect(placed.balance?.held?.minor == 1000 && placed.balance?.available?.minor == 1000)

            let captured = try await ledger.capture("o-1", "o-1/b/e1", 400)
            #expect(captured.hold?.captured?.minor == 400 && captured.hold?.remaining?.minor == 600)
            #expect(captured.balance?.balance?.minor == 1600 && captured.balance?.held?.minor == 600)

            let released = try await ledger.release("o-1")
            #expect(released.hold?.released?.minor == 600 && released.hold?.remaining?.minor == 0)
            #expect(released.hold?.state == .closed && released.balance?.available?.minor == 1600)
            #expect(try await ledger.findHold("o-1") == released.hold)
            #expect(released.balance?.version == 4)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func everythingTwiceChangesNothing() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.hold("o-1", "A-1", 1000)
            try await ledger.capture("o-1", "o-1/b/e1", 400)
            try await ledger.release("o-1")
            let balance = try await ledger.balance("A-1")
            #expect(try await ledger.hold("o-1", "A-1", 1000).replayed)
            #expect(try await ledger.capture("o-1", "o-1/b/e1", 400).replayed)
            #expect(try await ledger.release("o-1").replayed)
            #expect(try await ledger.balance("A-1") == balance)
            await expectRefusal("HOLD_CLOSED", .failedPrecondition) { try await ledger.release("o-1", key: "again") }
            await expectRefusal("KEY_REUSED", .alreadyExists) { try await ledger.hold("o-1", "A-1", 999) }
            await expectRefusal("KEY_REUSED") { try await ledger.hold("o-1", "A-1", 1000, order: "o-2") }
            await expectRefusal("KEY_REUSED") { try await ledger.capture("o-1", "o-1/b/e1", 401) }
            await expectRefusal("KEY_REUSED") { try await ledger.release("o-1", key: "o-1/b/e1") }
            await expectRefusal("ORDER_HAS_HOLD", .alreadyExists) {
                try await ledger.hold("h-2", "A-1", 10, order: "o-1")
            }
            #expect(try await ledger.balance("A-1") == balance)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func aRefusedHoldIsNotSticky() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 100)
            let refusal = await expectRefusal("INSUFFICIENT_FUNDS", .failedPrecondition) {
                try await ledger.hold("o-1", "A-1", 250)
            }
            #expect(refusal?.context == ["available": "100", "wanted": "250", "currency": "KRW"])
            #expect(refusal?.certainty == .definitelyNotDone)
            await expectRefusal("OPERATION_UNKNOWN") { try await ledger.operation("o-1") }
            try await ledger.deposit("o-1-fx/deposit", "A-1", 150)
            #expect(try await ledger.hold("o-1", "A-1", 250).balance?.available?.minor == 0)
            await expectRefusal("ACCOUNT_UNKNOWN", .notFound) { try await ledger.hold("o-2", "A-9", 1) }
            await expectRefusal("CURRENCY_MISMATCH") { try await ledger.hold("o-2", "A-1", 1, "USD") }
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func whatExceedsAHoldComesFromTheAvailableBalance() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1100)
            try await ledger.hold("o-1", "A-1", 1000)
            await expectRefusal("INSUFFICIENT_FUNDS", .failedPrecondition) {
                try await ledger.capture("o-1", "too-much", 1101)
            }
            let captured = try await ledger.capture("o-1", "e1", 1040)
            #expect(captured.hold?.captured?.minor == 1000 && captured.hold?.excess?.minor == 40)
            #expect(captured.hold?.state == .open && captured.hold?.remaining?.minor == 0)
            #expect(captured.balance?.balance?.minor == 60 && captured.balance?.held?.minor == 0)
            // A late fill after the release.
            #expect(try await ledger.release("o-1").hold?.released?.minor == 0)
            let late = try await ledger.capture("o-1", "e2", 60)
            #expect(late.hold?.excess?.minor == 100 && late.hold?.state == .closed)
            // The refusal of a capture is sticky: it moves money.
            try await ledger.deposit("more", "A-1", 5000)
            await expectRefusal("INSUFFICIENT_FUNDS") { try await ledger.capture("o-1", "too-much", 1101) }
            #expect(try await ledger.operation("too-much").outcome == .refused)
            try await ledger.capture("o-1", "nothing", 0)
            await expectRefusal("CURRENCY_MISMATCH") { try await ledger.capture("o-1", "other", 1, "USD") }
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func theHoldsOfAClosedAccountCanBeSettled() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            try await ledger.hold("o-1", "A-1", 500)
            try await ledger.database.execute(sql: "UPDATE account SET status = 'CLOSED'")
            try await ledger.capture("o-1", "e1", 300)
            try await ledger.release("o-1")
            await expectRefusal("ACCOUNT_CLOSED", .failedPrecondition) { try await ledger.hold("o-2", "A-1", 1) }
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func anUnknownHoldIsSealedByItsRelease() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 1000)
            await expectRefusal("HOLD_UNKNOWN", .notFound) { try await ledger.capture("o-1", "e1", 1) }
            await expectRefusal("HOLD_UNKNOWN", .notFound) { try await ledger.findHold("o-1") }
            await expectRefusal("HOLD_UNKNOWN", .notFound) { try await ledger.release("o-1") }
            await expectRefusal("HOLD_UNKNOWN", .notFound) { try await ledger.release("o-1") }
            let late = await expectRefusal("OPERATION_SEALED", .failedPrecondition) {
                try await ledger.hold("o-1", "A-1", 10)
            }
            #expect(late?.certainty == .definitelyNotDone)
            // An inquiry seals as well.
            try await ledger.resolve("o-2")
            await expectRefusal("OPERATION_SEALED") { try await ledger.hold("o-2", "A-1", 10) }
            #expect(try await ledger.balance("A-1").held?.minor == 0)
            try await ledger.expectBooksInOrder()
        }
    }

    /// Random captures and releases of several holds against a model with three lines of arithmetic.
    @Test(arguments: SeededGenerator.seeds(3))
    func amountsAddUp(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let ledgerTotal: Int64 = 10_000
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", ledgerTotal)
            var remaining: [Int64] = []
            var spent: Int64 = 0
            for step in 0..<60 {
                let available = ledgerTotal - spent - remaining.reduce(0, +)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let amount = Int64.random(in: 1...2500, using: &random)
                    if amount <= available {
                        try await ledger.hold("h-\(remaining.count)", "A-1", amount)
                        remaining.append(amount)
                    } else {
                        await expectRefusal("INSUFFICIENT_FUNDS") {
                            try await ledger.hold("h-\(remaining.count)", "A-1", amount)
                        }
                    }
                case 1, 2:
                    guard let index = remaining.indices.randomElement(using: &random) else { continue }
                    let amount = Int64.random(in: 0...1500, using: &random)
                    let fromHold = min(amount, remaining[index])
                    if amount - fromHold <= available {
                        try await ledger.capture("h-\(index)", "c-\(step)", amount)
                        remaining[index] -= fromHold
                        spent += amount
                    } else {
                        await expectRefusal("INSUFFICIENT_FUNDS") {
                            try await ledger.capture("h-\(index)", "c-\(step)", amount)
                        }
                    }
                default:
                    guard let index = remaining.indices.randomElement(using: &random) else { continue }
                    let hold = try await ledger.findHold("h-\(index)")
                    if hold.state == .open {
                        try await ledger.release("h-\(index)")
                        remaining[index] = 0
                    }
                }
                let balance = try await ledger.balance("A-1")
                #expect(balance.balance?.minor == ledgerTotal - spent)
                #expect(balance.held?.minor == remaining.reduce(0, +))
            }
            try await ledger.expectBooksInOrder()
            let line = try #require(try await ledger.trialBalance().first)
            #expect(line.held == remaining.reduce(0, +))
            let clearing = line.internalBalances.first { $0.accountID == "internal:broker-clearing/KRW" }
            #expect(clearing?.balance ?? 0 == spent)
        }
    }
}
