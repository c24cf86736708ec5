import Contracts
import Domain
import MockBroker
import Testing

@Suite struct OrderLifeTests {
    @Test func aMarketOrderFillsAtTheReferencePrice() throws {
        var desk = Desk([.fills("fills", .fixed(.milliseconds(20)))])
        desk.place(order("1", shares: 3))
        desk.advance(milliseconds: 19)
        #expect(desk.state("1") == "new 0/3")
        desk.advance(milliseconds: 1)
        #expect(desk.state("1") == "filled 3/3")
        #expect(desk.feedKinds == [.new, .trade])
        let fill = try #require(desk.book.feed.last)
        #expect(fill.lastPrice == applePrice)
        #expect(fill.lastQuantity == shares(3))
        // 3 x 223.02 x 7 bp = 0.468342
        #expect(fill.commission == Money(minorUnits: 47, currency: .usd))
        #expect(fill.tradeDate == CivilDate("2026-11-20"))
        #expect(desk.book.positions == [PositionKey(account: alice, symbol: apple): shares(3)])
    }

    @Test(arguments: [
        (Side.buy, 223_0200 as Int64, true), (.buy, 223_0100, false), (.buy, 300_0000, true),
        (.sell, 223_0200, true), (.sell, 223_0300, false), (.sell, 1_0000, true),
    ])
    func limitOrdersFillByTouch(side: Side, limit: Int64, fills: Bool) {
        var desk = Desk()
        desk.place(order("1", side: side, limit: Price(unscaled: limit)))
        desk.advance()
        #expect(desk.state("1") == (fills ? "filled 1/1" : "new 0/1"))
        if fills { #expect(desk.book.feed.last?.lastPrice == applePrice) }
    }

    @Test func aRestingOrderFillsWhenThePriceTouchesIt() throws {
        var desk = Desk([.fills("fills", .fixed(.milliseconds(5)))])
        desk.place(order("low", limit: Price(unscaled: 200_0000), timeInForce: .goodTillCancel))
        desk.place(order("lower", limit: Price(unscaled: 190_0000), timeInForce: .goodTillCancel))
        desk.take(try desk.book.setPrice(apple, Price(unscaled: 199_5000), at: desk.now))
        // The plan stands, wherever the price goes meanwhile.
        desk.take(try desk.book.setPrice(apple, Price(unscaled: 250_0000), at: desk.now))
        desk.advance(milliseconds: 5)
        #expect(desk.state("low") == "filled 1/1")
        #expect(desk.book.feed.last?.lastPrice == Price(unscaled: 199_5000))
        #expect(desk.state("lower") == "new 0/1")
    }

    @Test func ordersFillInParts() {
        var desk = Desk(
            { $0.seed = 3 }, [.fills("fills", .uniform(.milliseconds(1) ... .milliseconds(50)), parts: 3)])
        desk.place(order("1", shares: 10))
        desk.place(order("2", shares: 2))
        desk.advance(milliseconds: 50)
        #expect(desk.state("1") == "filled 10/10")
        let parts = desk.book.feed.filter { $0.kind == .trade && $0.order == 0 }
        #expect(parts.map(\.lastQuantity) == [shares(4), shares(3), shares(3)])
        #expect(parts.map(\.filled) == [shares(4), shares(7), shares(10)])
        #expect(parts.map(\.leaves) == [shares(6), shares(3), shares(0)])
        #expect(parts.map(\.status) == [.partiallyFilled, .partiallyFilled, .filled])
        #expect(desk.book.feed.filter { $0.kind == .trade && $0.order == 1 }.count == 2)
    }

    @Test func immediateOrdersEndAtOnce() {
        for timeInForce in [TimeInForce.immediateOrCancel, .fillOrKill] {
            var desk = Desk([.fills(parts: 3)])
            desk.place(order("low", limit: Price(unscaled: 200_0000), timeInForce: timeInForce))
            #expect(desk.state("low") == "canceled 0/1")
            desk.place(order("high", limit: Price(unscaled: 230_0000), shares: 3, timeInForce: timeInForce))
            desk.advance()
            #expect(desk.state("high") == "filled 3/3")
            let trades = desk.feedKinds.filter { $0 == .trade }.count
            #expect(trades == (timeInForce == .fillOrKill ? 1 : 3))
        }
    }

    @Test func dayOrdersExpireAndOthersDoNot() {
        var desk = Desk()
        desk.place(order("day", limit: Price(unscaled: 200_0000)))
        desk.place(order("gtc", limit: Price(unscaled: 200_0000), timeInForce: .goodTillCancel))
        desk.advance(milliseconds: 9 * 3_600_000 - 1)
        #expect(desk.state("day") == "new 0/1")
        desk.advance(milliseconds: 1)
        #expect(desk.state("day") == "expired 0/1")
        #expect(desk.state("gtc") == "new 0/1")
        #expect(desk.feedKinds == [.new, .new, .expired])
    }

    @Test func manualModeFillsByHandOnly() throws {
        var desk = Desk { $0.fillMode = .manual }
        desk.place(order("1", shares: 3))
        desk.advance(milliseconds: 1000)
        #expect(desk.state("1") == "new 0/3")
        func fill(_ count: Int64?, _ price: Price? = nil) throws -> BrokerRecord {
            try desk.book.fillByHand(
                id("1"), account: nil, quantity: count.map(shares), price: price, at: desk.now, venue)
        }
        #expect(throws: BrokerRefusal.fillTooLarge(leaves: shares(3))) { try fill(4) }
        #expect(throws: BrokerRefusal.self) { try fill(0) }
        #expect(throws: BrokerRefusal.self) { try fill(1, .zero) }
        desk.take([try fill(1, Price(unscaled: 220_0000))])
        #expect(desk.state("1") == "partiallyFilled 1/3")
        #expect(desk.book.feed.last?.lastPrice == Price(unscaled: 220_0000))
        desk.take([try fill(nil)])
        #expect(desk.state("1") == "filled 3/3")
        #expect(throws: BrokerRefusal.alreadyFilled(desk.book.orders[0].id)) { try fill(nil) }
    }

    @Test func releasingTheMarketFillsWhatRests() throws {
        var desk = Desk { $0.fillMode = .manual }
        desk.place(order("1"))
        desk.take(try desk.book.setBehavior(Behavior(), .control, at: desk.now))
        desk.advance()
        #expect(desk.state("1") == "filled 1/1")
    }

    @Test func aHandAndAPlanTogetherNeverOverfill() throws {
        var desk = Desk([.fills("fills", .fixed(.milliseconds(10)), parts: 2)])
        desk.place(order("1", shares: 4))
        desk.take([
            try desk.book.fillByHand(id("1"), account: alice, quantity: shares(3), price: nil, at: desk.now, venue)
        ])
        desk.advance(milliseconds: 10)
        #expect(desk.state("1") == "filled 4/4")
        #expect(desk.book.feed.map(\.lastQuantity) == [.zero, shares(3), shares(1)])
    }
}

@Suite struct CancelTests {
    @Test func cancelsInTime() {
        var desk = Desk([.fills("fills", .fixed(.milliseconds(10)))])
        desk.place(order("1"))
        #expect(desk.cancel("1", request: "c1") == "taken")
        #expect(desk.state("1") == "canceled 0/1")
        #expect(desk.cancel("1", request: "c1") == "taken")  // the same request again
        #expect(desk.cancel("1", request: "c2") == "ALREADY_CANCELED")
        desk.advance(milliseconds: 10)
        #expect(desk.state("1") == "canceled 0/1")
        #expect(desk.feedKinds == [.new, .canceled])
    }

    @Test func aFillOvertakesTheCancel() {
        var desk = Desk([
            .fills("fills", .fixed(.milliseconds(10)), parts: 2),
            .slowCancels("cancels", .fixed(.milliseconds(10))),
        ])
        desk.place(order("1", shares: 2))
        #expect(desk.cancel("1", request: "c1") == "taken")
        #expect(desk.state("1") == "pendingCancel 0/2")
        #expect(desk.cancel("1", request: "c2") == "CANCEL_PENDING")
        desk.advance(milliseconds: 10)  // fill and cancel are due together: the fill wins
        #expect(desk.state("1") == "filled 2/2")
        #expect(desk.feedKinds == [.new, .trade, .trade])
        #expect(desk.cancel("1", request: "c1") == "taken")
        #expect(desk.cancel("1", request: "c3") == "ALREADY_FILLED")
    }

    @Test func aCancelBetweenPartsKeepsWhatWasFilled() throws {
        var desk = Desk { $0.fillMode = .manual }
        desk.place(order("1", shares: 3))
        desk.take([
            try desk.book.fillByHand(id("1"), account: nil, quantity: shares(1), price: nil, at: desk.now, venue)
        ])
        desk.cancel("1", request: "c1")
        #expect(desk.state("1") == "canceled 1/3")
        #expect(desk.book.orders[0].leaves == .zero)
    }

    @Test func refusesWhatMakesNoSense() {
        var desk = Desk()
        #expect(desk.cancel("1", request: "c1") == "UNKNOWN_ORDER")
        desk.place(order("1", limit: Price(unscaled: 1_0000)))
        desk.place(order("2", limit: Price(unscaled: 1_0000)))
        #expect(desk.cancel("1", request: "2") == "CLIENT_ORDER_ID_REUSED")
        #expect(desk.cancel("1", request: "c1") == "taken")
        #expect(desk.cancel("2", request: "c1") == "CLIENT_ORDER_ID_REUSED")
        desk.advance(milliseconds: 86_400_000)
        #expect(desk.cancel("2", request: "c2") == "ALREADY_EXPIRED")
    }
}
