import Contracts
import Domain
import MockBroker
import Testing

/// Trades that are void or stand for something else after the fact.
@Suite struct BustTests {
    /// An order of 5 shares with trades of 2 and 3.
    private func desk(filled: Bool = true) throws -> Desk {
        var desk = Desk { $0.fillMode = .manual }
        desk.place(order("1", shares: filled ? 5 : 6, timeInForce: .goodTillCancel))
        try desk.fill("1", 2)
        try desk.fill("1", 3)
        return desk
    }

    @Test func aBustTakesSharesBackAndLeavesTheFinalState() throws {
        var desk = try desk()
        #expect(desk.bust(desk.trade(0)) == "void")
        #expect(desk.state("1") == "filled 3/5")
        #expect(desk.held == shares(3))
        let report = try #require(desk.book.feed.last)
        #expect(report.reference == desk.book.executions[0].first)
        #expect(report.commission == nil)
        #expect(desk.story.last == "tradeCancel 2 filled 3+0")
        #expect(desk.bust(desk.trade(0)) == "ALREADY_BUSTED")
        #expect(desk.correct(desk.trade(0), shares: 1) == "ALREADY_BUSTED")
        #expect(desk.bust(BrokerExecutionID(rawValue: "none")!) == "UNKNOWN_EXECUTION")
        // A report that is no trade cannot be void.
        #expect(desk.bust(desk.book.orders[0].executionID(ordinal: 1)) == "UNKNOWN_EXECUTION")
        #expect(throws: BrokerRefusal.alreadyFilled(desk.book.orders[0].id)) { try desk.fill("1", 1) }
    }

    @Test func anOpenOrderGetsItsSharesBack() throws {
        var desk = try desk(filled: false)
        desk.bust(desk.trade(1))
        #expect(desk.story.last == "tradeCancel 3 partiallyFilled 2+4")
        desk.bust(desk.trade(0))
        #expect(desk.state("1") == "new 0/6")
        #expect(desk.held == .zero)
        try desk.fill("1", 6)
        #expect(desk.state("1") == "filled 6/6")
    }

    /// Cash and commissions follow, on the date on which that was told: what was stated of earlier dates stays true.
    @Test func moneyFollows() throws {
        var desk = try desk()
        let opening = desk.book.behavior.openingCash.minorUnits
        func cash() -> Int64 { desk.book.accounts.book(of: alice)!.balance.cash.minorUnits - opening }
        func commissions() -> Int64 { desk.book.accounts.book(of: alice)!.balance.commissions.minorUnits }
        // 2 and 3 shares at 223.02, 7 bp each.
        #expect(cash() == -(44_604 + 31 + 66_906 + 47))
        #expect(commissions() == 78)
        let date = try #require(CivilDate("2026-11-20"))
        desk.advance(milliseconds: 86_400_000)
        let stated = try desk.book.statement(of: alice, on: date, at: desk.now, venue)
        desk.correct(desk.trade(1), shares: 1, price: Price(unscaled: 100_0000))
        #expect(cash() == -(44_604 + 31 + 10_000 + 7))
        #expect(commissions() == 38)
        desk.bust(desk.trade(0))
        desk.bust(desk.trade(1))
        #expect(cash() == 0)
        #expect(commissions() == 0)
        #expect(desk.held == .zero)
        #expect(try desk.book.statement(of: alice, on: date, at: desk.now, venue) == stated)
    }

    @Test func aSoldPositionMayBecomeShort() throws {
        var desk = try desk()
        desk.place(order("s", side: .sell, shares: 5))
        try desk.fill("s", 5)
        desk.bust(desk.trade(0))
        #expect(desk.held == shares(-2))
    }

    @Test func aCorrectionChangesSharesPriceAndCommission() throws {
        var desk = try desk()
        let price = Price(unscaled: 100_0000)
        #expect(desk.correct(desk.trade(1), shares: 1, price: price) == "corrected")
        #expect(desk.state("1") == "filled 3/5")
        #expect(desk.held == shares(3))
        #expect(desk.story.last == "tradeCorrect 1 filled 3+0")
        let first = try #require(desk.book.feed.last)
        #expect(first.lastPrice == price)
        #expect(first.commission == Money(minorUnits: 7, currency: .usd))
        #expect(first.reference == 3)
        // The chain: each correction refers to the one before it, and only ends of it are taken.
        let correction = desk.book.orders[0].executionID(ordinal: first.ordinal)
        #expect(desk.correct(correction, shares: 2) == "corrected")
        #expect(desk.book.feed.last?.reference == first.ordinal)
        #expect(desk.bust(correction) == "EXECUTION_CORRECTED")
        #expect(desk.correct(desk.trade(1), price: applePrice) == "corrected")
        let latest = try #require(desk.book.feed.last)
        #expect(latest.lastQuantity == shares(2))
        #expect(desk.bust(desk.book.orders[0].executionID(ordinal: latest.ordinal)) == "void")
        #expect(desk.book.feed.last?.reference == latest.ordinal)
        #expect(desk.state("1") == "filled 2/5")
        #expect(desk.bust(desk.trade(1)) == "ALREADY_BUSTED")
    }

    @Test func aCorrectionMayFillAnOpenOrderAndMore() throws {
        var desk = try desk(filled: false)
        desk.correct(desk.trade(0), shares: 10)
        #expect(desk.story.last == "tradeCorrect 10 filled 13+0")
        #expect(desk.held == shares(13))
    }

    @Test func refusesCorrectionsThatMakeNoSense() throws {
        var desk = try desk()
        let id = desk.trade(0)
        #expect(desk.correct(id) == "NOTHING_TO_CORRECT")
        #expect(desk.correct(id, shares: 2, price: applePrice) == "NOTHING_TO_CORRECT")
        #expect(desk.correct(id, shares: 0) == "QTY_NOT_POSITIVE")
        #expect(desk.correct(id, shares: 1_000_001) == "QTY_TOO_LARGE")
        #expect(desk.correct(id, price: .zero) == "PRICE_NOT_POSITIVE")
        #expect(desk.correct(id, price: Price(unscaled: 10_000_000_001)) == "PRICE_OUT_OF_RANGE")
        for number in 1...9_223 { desk.place(order("\(number + 1)", shares: 1_000_000)) }
        #expect(desk.correct(id, shares: 1_000_000) == "POSITION_LIMIT_EXCEEDED")
    }

    @Test func aWindowOfTradesIsVoid() throws {
        var desk = try desk()
        desk.take(
            try desk.book.setPrice(InstrumentID(rawValue: "MSFT")!, Price(unscaled: 30_0000), at: desk.now))
        desk.advance(milliseconds: 10)
        desk.place(order("2", shares: 2))
        try desk.fill("2", 1)
        desk.place(order("3", symbol: InstrumentID(rawValue: "MSFT")!))
        try desk.fill("3", 1)
        desk.bust(desk.trade(0))
        func found(_ from: Int64?, _ to: Int64?, _ symbol: String? = nil) throws -> [BrokerExecutionID] {
            try desk.book.liveExecutions(
                from: from.map { start + .milliseconds($0) }, to: to.map { start + .milliseconds($0) },
                symbol.map { InstrumentID(rawValue: $0)! })
        }
        #expect(try found(nil, nil) == [1, 2, 3].map(desk.trade))
        #expect(try found(nil, 10) == [desk.trade(1)])
        #expect(try found(10, nil) == [desk.trade(2), desk.trade(3)])
        #expect(try found(10, 11, "MSFT") == [desk.trade(3)])
        #expect(try found(11, nil) == [])
    }
}
