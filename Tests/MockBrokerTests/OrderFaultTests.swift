import Contracts
import Domain
import MockBroker
import Testing

/// What a broker does with an order that nobody asked for.
@Suite struct OrderFaultTests {
    private static let after = BrokerLatency.fixed(.milliseconds(10))
    private static let low = Price(unscaled: 200_0000)

    @Test func acceptedAndRejectedAfterAll() {
        var desk = Desk([.orders(.rejectLater(BrokerRejectLater(after: Self.after, text: "margin")))])
        desk.place(order("1", shares: 2))
        desk.place(order("2", shares: 2, timeInForce: .immediateOrCancel))
        desk.advance(milliseconds: 9)
        #expect(desk.state("1") == "new 0/2")
        desk.advance(milliseconds: 1)
        #expect(desk.state("1") == "rejected 0/2")
        #expect(desk.state("2") == "rejected 0/2")
        #expect(desk.book.feed.last?.text == "margin")
        #expect(desk.story.last == "rejected rejected 0+0")
        #expect(desk.cancel("1", request: "c") == "ALREADY_REJECTED")
        #expect(desk.replace("1", request: "r", shares: 3) == "ALREADY_REJECTED")
    }

    /// An order that has traded is no longer rejected.
    @Test func aFillIsStrongerThanARejection() throws {
        var desk = Desk([.orders(.rejectLater(BrokerRejectLater(after: Self.after)))])
        desk.place(order("1", shares: 2))
        try desk.fill("1", 1)
        desk.advance(milliseconds: 20)
        #expect(desk.state("1") == "partiallyFilled 1/2")
    }

    @Test func neverAcknowledgedOrTwice() {
        var never = Desk([.orders(.neverAcknowledge(BrokerNeverAcknowledge()))])
        never.place(order("1"))
        never.advance()
        #expect(never.story == ["trade 1 filled 1+0"])
        var twice = Desk([.orders(.acknowledgeTwice(BrokerAcknowledgeTwice()))])
        twice.place(order("1"))
        twice.advance()
        #expect(twice.story == ["new new 0+1", "new new 0+1", "trade 1 filled 1+0"])
        let ids = twice.book.feed.map { twice.book.orders[0].executionID(ordinal: $0.ordinal) }
        #expect(Set(ids).count == 3)
    }

    @Test func cancelledByTheBroker() {
        var desk = Desk([
            .fills("fills", .fixed(.milliseconds(10)), parts: 1),
            .orders(.unsolicitedCancel(BrokerUnsolicitedCancel(after: Self.after, text: "corporate action"))),
        ])
        desk.place(order("1", limit: Self.low, shares: 3))
        desk.place(order("2"))
        desk.advance(milliseconds: 10)
        #expect(desk.state("1") == "canceled 0/3")
        #expect(desk.book.feed.last?.text == "corporate action")
        // At one instant the fill comes first.
        #expect(desk.state("2") == "filled 1/1")
        #expect(desk.feedKinds.filter { $0 == .canceled }.count == 1)
    }

    @Test func aHaltHoldsFillsAndRequestsUp() {
        var desk = Desk([
            .fills("fills", .fixed(.milliseconds(15)), parts: 1),
            .orders(.suspend(BrokerSuspend(after: Self.after, length: .fixed(.milliseconds(20))))),
        ])
        desk.place(order("1", shares: 2, timeInForce: .goodTillCancel))
        desk.advance(milliseconds: 10)
        #expect(desk.state("1") == "suspended 0/2")
        #expect(desk.cancel("1", request: "c") == "ORDER_SUSPENDED")
        #expect(desk.replace("1", request: "r", shares: 3) == "ORDER_SUSPENDED")
        #expect(throws: BrokerRefusal.suspended(desk.book.orders[0].id)) { try desk.fill("1", 1) }
        desk.advance(milliseconds: 19)
        #expect(desk.state("1") == "suspended 0/2")
        desk.advance(milliseconds: 1)
        #expect(
            desk.story == ["new new 0+2", "suspended suspended 0+2", "restated new 0+2", "trade 2 filled 2+0"])
        #expect(desk.book.feed.last?.at == start + .milliseconds(30))
    }

    @Test func aHaltWithoutEndLastsUntilTheOrderDoes() {
        var desk = Desk([.orders(.suspend(BrokerSuspend(after: .fixed(.zero))))])
        desk.place(order("1", shares: 2))
        desk.advance(milliseconds: 1000)
        // The halt is there before the fill that is due at the same instant.
        #expect(desk.state("1") == "suspended 0/2")
        desk.advance(milliseconds: 86_400_000)
        #expect(desk.story == ["new new 0+2", "suspended suspended 0+2", "expired expired 0+0"])
    }

    @Test func aHaltWaitsForARequestThatIsOnItsWay() {
        var desk = Desk([
            .slow(.milliseconds(15)),
            .orders(.suspend(BrokerSuspend(after: Self.after, length: .fixed(.milliseconds(20))))),
        ])
        desk.place(order("1", limit: Self.low, timeInForce: .goodTillCancel))
        desk.replace("1", request: "2", shares: 2, limit: Self.low)
        desk.advance(milliseconds: 14)
        #expect(desk.state("2") == "pendingReplace 0/1")
        desk.advance(milliseconds: 1)
        #expect(desk.state("2") == "suspended 0/2")
        desk.advance(milliseconds: 19)
        #expect(desk.state("2") == "suspended 0/2")
        desk.advance(milliseconds: 1)
        #expect(desk.state("2") == "new 0/2")
    }

    @Test func aRestatementChangesNothing() {
        var desk = Desk([.orders(.restate(BrokerRestate(after: Self.after, text: "moved")))])
        desk.place(order("1", limit: Self.low, shares: 2))
        desk.advance(milliseconds: 10)
        #expect(desk.story == ["new new 0+2", "restated new 0+2"])
        #expect(desk.book.feed.last?.text == "moved")
    }

    @Test func severalFaultsOfOneOrder() {
        var suspend = BrokerRule.orders(.suspend(BrokerSuspend(after: Self.after)), id: "a")
        suspend.alsoApplyLowerPriority = true
        var desk = Desk([
            suspend, .orders(.unsolicitedCancel(BrokerUnsolicitedCancel(after: .fixed(.milliseconds(20)))), id: "b"),
        ])
        desk.place(order("1", limit: Self.low))
        desk.advance(milliseconds: 20)
        #expect(desk.feedKinds == [.new, .suspended, .canceled])
    }

    /// All pairs of where an order stands and what can happen to it: what is not listed is refused.
    @Test func everyOtherStepIsRefused() throws {
        let replacement = Replacement(
            request: id("2"), terms: ReplaceTerms(quantity: shares(3), limit: nil), due: start)
        let steps: [(name: String, step: OrderStep)] = [
            ("fill", .fill(shares(1))), ("requestCancel", .requestCancel), ("cancel", .cancel),
            ("requestReplace", .requestReplace(replacement)), ("replace", .replace), ("suspend", .suspend),
            ("resume", .resume), ("reject", .reject), ("expire", .expire),
            ("amend", .amend(from: shares(1), to: .zero)),
        ]
        let table: [(path: [OrderStep], allowed: Set<String>)] = [
            ([], ["fill", "requestCancel", "cancel", "requestReplace", "suspend", "reject", "expire"]),
            (
                [.fill(shares(1))],
                ["fill", "requestCancel", "cancel", "requestReplace", "suspend", "expire", "amend"]
            ),
            ([.suspend], ["cancel", "resume", "reject", "expire"]),
            ([.requestCancel], ["fill", "cancel", "reject", "expire"]),
            ([.requestReplace(replacement)], ["fill", "cancel", "replace", "reject", "expire"]),
            ([.fill(shares(2))], ["amend"]),
            ([.fill(shares(1)), .cancel], ["amend"]),
            ([.fill(shares(1)), .expire], ["amend"]),
            ([.reject], []),
        ]
        for (path, allowed) in table {
            var order = BookOrder(
                id: BrokerOrderID(rawValue: "o")!, content: order("1", shares: 2), ordinal: 1, acceptedAt: start)
            for step in path { try order.apply(step) }
            for (name, step) in steps {
                var copy = order
                let isTaken = (try? copy.apply(step)) != nil
                #expect(isTaken == allowed.contains(name), "\(name) after \(path)")
            }
        }
    }
}
