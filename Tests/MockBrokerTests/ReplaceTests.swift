import Contracts
import Domain
import MockBroker
import Testing

/// Other terms for a working order, and what may come in between.
@Suite struct ReplaceTests {
    private static let low = Price(unscaled: 200_0000)
    private static let lower = Price(unscaled: 190_0000)

    private func desk(_ rules: [BrokerRule] = [], shares count: Int64 = 5) -> Desk {
        var desk = Desk(rules)
        desk.place(order("1", limit: Self.low, shares: count, timeInForce: .goodTillCancel))
        return desk
    }

    @Test func anOrderHasNewTermsUnderANewID() throws {
        var desk = desk()
        #expect(desk.replace("1", request: "2", shares: 7, limit: Self.lower) == "taken")
        #expect(desk.state("1") == "new 0/7")
        #expect(desk.state("2") == "new 0/7")
        #expect(desk.story == ["new new 0+5", "replaced new 0+7"])
        let report = try #require(desk.book.feed.last)
        #expect(report.clientOrder == id("2"))
        #expect(report.replacedClientOrder == id("1"))
        // The chain goes on from the latest id alone.
        #expect(desk.replace("1", request: "3", shares: 8, limit: Self.lower) == "ORIG_CLIENT_ORDER_ID_OUTDATED")
        #expect(desk.replace("2", request: "3", shares: 8, limit: Self.lower) == "taken")
        #expect(desk.book.orders[0].replacedClientOrder == id("2"))
        #expect(["1", "2", "3"].map { desk.state($0) } == Array(repeating: "new 0/8", count: 3))
        #expect(desk.cancel("1", request: "c") == "taken")
        #expect(desk.state("3") == "canceled 0/8")
        #expect(desk.book.feed.last?.clientOrder == id("3"))
    }

    @Test func theNewTermsDecideWhenItFills() throws {
        var desk = desk()
        desk.take(try desk.book.setPrice(apple, Price(unscaled: 210_0000), at: desk.now))
        #expect(desk.replace("1", request: "2", shares: 5, limit: Price(unscaled: 215_0000)) == "taken")
        desk.advance()
        #expect(desk.state("2") == "filled 5/5")
        #expect(desk.book.feed.last?.lastPrice == Price(unscaled: 210_0000))
        // And the old ones do not any more.
        var other = self.desk()
        other.replace("1", request: "2", shares: 5, limit: Self.lower)
        other.take(try other.book.setPrice(apple, Self.low, at: other.now))
        other.advance()
        #expect(other.state("2") == "new 0/5")
        other.take(try other.book.setPrice(apple, Self.lower, at: other.now))
        other.advance()
        #expect(other.state("2") == "filled 5/5")
    }

    /// What was planned for the old terms does not happen to the new ones.
    @Test func aReplacedOrderFillsAnewByItsScript() {
        var desk = Desk([.fills("fills", .fixed(.milliseconds(10)), parts: 1)])
        desk.place(order("1", shares: 4, timeInForce: .goodTillCancel))
        desk.advance(milliseconds: 6)
        #expect(desk.replace("1", request: "2", shares: 6) == "taken")
        desk.advance(milliseconds: 4)
        #expect(desk.state("2") == "new 0/6")
        desk.advance(milliseconds: 6)
        #expect(desk.state("2") == "filled 6/6")
        #expect(desk.story == ["new new 0+4", "replaced new 0+6", "trade 6 filled 6+0"])
    }

    @Test func theTotalIsNotTheRest() throws {
        var desk = desk()
        try desk.fill("1", 3)
        #expect(desk.replace("1", request: "2", shares: 3, limit: Self.low) == "REPLACE_BELOW_FILLED")
        #expect(desk.replace("1", request: "2", shares: 2, limit: Self.low) == "REPLACE_BELOW_FILLED")
        #expect(desk.replace("1", request: "2", shares: 4, limit: Self.low) == "taken")
        #expect(desk.state("2") == "partiallyFilled 3/4")
        try desk.fill("2", 1)
        #expect(desk.state("2") == "filled 4/4")
    }

    @Test func aFillOvertakesTheReplacement() throws {
        var desk = desk([.slow(.milliseconds(10))])
        #expect(desk.replace("1", request: "2", shares: 3, limit: Self.low) == "taken")
        #expect(desk.state("1") == "pendingReplace 0/5")
        #expect(desk.state("2") == "pendingReplace 0/5")
        #expect(desk.replace("1", request: "3", shares: 4, limit: Self.low) == "REPLACE_PENDING")
        #expect(desk.cancel("1", request: "c") == "REPLACE_PENDING")
        try desk.fill("1", 1)
        #expect(desk.book.feed.last?.clientOrder == id("1"))
        desk.advance(milliseconds: 10)
        #expect(desk.state("2") == "partiallyFilled 1/3")
        #expect(
            desk.story == ["new new 0+5", "trade 1 pendingReplace 1+4", "replaced partiallyFilled 1+2"])
    }

    @Test(arguments: [
        // All of the old total: the fill wins, and the order keeps its id.
        (shares: 8, filled: 5, state: "filled 5/5", last: "trade 5 filled 5+0", id: "1"),
        // As much as the new total, or more: the order is done under its new id.
        (shares: 3, filled: 3, state: "filled 3/3", last: "replaced filled 3+0", id: "2"),
        (shares: 3, filled: 4, state: "filled 4/4", last: "replaced filled 4+0", id: "2"),
    ])
    func fillsBeyondTheNewTotalCloseTheOrder(
        shares: Int64, filled: Int64, state: String, last: String, id clientOrder: String
    ) throws {
        var desk = desk([.slow(.milliseconds(10))])
        desk.replace("1", request: "2", shares: shares, limit: Self.low)
        try desk.fill("1", filled)
        desk.advance(milliseconds: 10)
        #expect(desk.state("2") == state)
        #expect(desk.story.last == last)
        #expect(desk.book.feed.last?.clientOrder == id(clientOrder))
    }

    @Test func theSameRequestIsAnsweredAgainAndAnotherIsNot() {
        var desk = desk()
        desk.place(order("9", limit: Self.low))
        desk.replace("1", request: "2", shares: 7, limit: Self.low)
        let records = desk.book.feed
        #expect(desk.replace("1", request: "2", shares: 7, limit: Self.low) == "taken")
        #expect(desk.book.feed == records)
        #expect(desk.replace("1", request: "2", shares: 6, limit: Self.low) == "CLIENT_ORDER_ID_REUSED")
        #expect(desk.replace("9", request: "2", shares: 7, limit: Self.low) == "CLIENT_ORDER_ID_REUSED")
        #expect(desk.replace("2", request: "9", shares: 6, limit: Self.low) == "CLIENT_ORDER_ID_REUSED")
        #expect(desk.cancel("9", request: "2") == "CLIENT_ORDER_ID_REUSED")
        #expect(desk.place(order("2", limit: Self.low)) == "CLIENT_ORDER_ID_REUSED")
        // What the first id placed is still what it placed.
        #expect(
            desk.place(order("1", limit: Self.low, shares: 5, timeInForce: .goodTillCancel)) == "replayed")
    }

    @Test func refusesWhatMakesNoSense() throws {
        var desk = desk()
        #expect(desk.replace("0", request: "2", shares: 1) == "UNKNOWN_ORDER")
        #expect(desk.replace("1", request: "2", shares: 6) == "PRICE_MISSING")
        #expect(desk.replace("1", request: "2", shares: 0, limit: Self.low) == "ORDER_QTY_NOT_POSITIVE")
        #expect(desk.replace("1", request: "2", shares: 1_000_001, limit: Self.low) == "ORDER_QTY_TOO_LARGE")
        #expect(desk.replace("1", request: "2", shares: 6, limit: Price(unscaled: 200_0050)) == "PRICE_OFF_TICK")
        var small = venue
        small.idLimit = 1
        #expect(desk.replace("1", request: "2", shares: 6, limit: Self.low, alice, small) == "BOOK_FULL")
        #expect(desk.story == ["new new 0+5"])
        var market = Desk { $0.fillMode = .manual }
        market.place(order("m", shares: 2))
        #expect(market.replace("m", request: "2", shares: 3, limit: Self.low) == "PRICE_NOT_ALLOWED")
        #expect(market.replace("m", request: "2", shares: 3) == "taken")
    }

    @Test func onlyAWorkingOrderIsReplaced() throws {
        var desk = desk([.slow(.milliseconds(10))])
        desk.cancel("1", request: "c")
        #expect(desk.replace("1", request: "2", shares: 6, limit: Self.low) == "CANCEL_PENDING")
        desk.advance(milliseconds: 10)
        #expect(desk.replace("1", request: "2", shares: 6, limit: Self.low) == "ALREADY_CANCELED")
        desk.place(order("filled", timeInForce: .goodTillCancel))
        desk.place(order("day", limit: Self.low))
        desk.advance()
        #expect(desk.replace("filled", request: "2", shares: 6) == "ALREADY_FILLED")
        desk.advance(milliseconds: 86_400_000)
        #expect(desk.replace("day", request: "2", shares: 6, limit: Self.low) == "ALREADY_EXPIRED")
        var fast = Desk([.fills("late", .fixed(.seconds(1)))])
        fast.place(order("ioc", timeInForce: .immediateOrCancel))
        #expect(fast.replace("ioc", request: "2", shares: 2) == "REPLACE_NOT_ALLOWED")
    }

    @Test func aReplacementHasToBePaidForWhereTheBrokerLooks() {
        var desk = Desk {
            $0.checksBuyingPower = true
            $0.openingCash = Money(minorUnits: 100_100, currency: .usd)
        }
        desk.place(order("1", limit: Self.low, shares: 4))
        #expect(desk.replace("1", request: "2", shares: 6, limit: Self.low) == "INSUFFICIENT_BUYING_POWER")
        // The order itself does not stand in its own way.
        #expect(desk.replace("1", request: "2", shares: 5, limit: Self.low) == "taken")
    }

    @Test func replacementsCannotOverflowPositions() {
        var desk = Desk { $0.fillMode = .manual }
        for number in 1...9_223 { desk.place(order("\(number)", shares: 1_000_000)) }
        desk.place(order("last", shares: 100))
        #expect(desk.replace("last", request: "more", shares: 1_000_000) == "POSITION_LIMIT_EXCEEDED")
        #expect(desk.replace("last", request: "more", shares: 300_000) == "taken")
        #expect(desk.place(order("another", shares: 100_000)) == "POSITION_LIMIT_EXCEEDED")
    }

    @Test func aRuleGivesANewOrderIDOrRefuses() throws {
        var desk = desk([.orders(.newOrderID(BrokerNewOrderID()))])
        let old = desk.book.orders[0].id
        desk.replace("1", request: "2", shares: 6, limit: Self.low)
        let new = desk.book.orders[0].shownID
        #expect(new != old)
        #expect(desk.book.order(new) == desk.book.order(old))
        #expect(desk.book.feed.map(\.orderID) == [old, new])
        var refused = self.desk([.orders(.refuse(BrokerRefuse(reason: "TOO_LATE")))], shares: 5)
        #expect(refused.book.orders.isEmpty)
        refused.take([.rulesCleared(at: refused.now)])
        refused.place(order("1", limit: Self.low))
        refused.take([
            .rulePut(
                try Rule(.orders(.refuse(BrokerRefuse(reason: "TOO_LATE")))), .control, at: refused.now)
        ])
        #expect(refused.replace("1", request: "2", shares: 6, limit: Self.low) == "TOO_LATE")
        #expect(refused.state("1") == "new 0/1")
    }
}
