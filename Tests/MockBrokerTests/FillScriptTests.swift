import Contracts
import Domain
import MockBroker
import Protobuf
import Testing

/// The shapes of fills, and what comes after them.
@Suite struct FillScriptTests {
    private func decimal(_ value: Int64) -> WireDecimal { WireDecimal(unscaled: value, scale: 0) }

    private func steps(_ steps: [(milliseconds: Int64, shares: Int64?)]) -> BrokerFillScript.Shape {
        .steps(
            BrokerFillSteps(
                steps: steps.map {
                    BrokerFillStep(
                        delay: Google_Protobuf_Duration(.milliseconds($0.milliseconds)), qty: $0.shares.map(decimal))
                }))
    }

    @Test func fillsAsWritten() throws {
        var script = BrokerFillScript(shape: steps([(5, 2), (5, 3), (0, nil)]))
        if case .steps(var wire)? = script.shape {
            wire.steps[1].price = decimal(210)
            script.shape = .steps(wire)
        }
        var desk = Desk([.script(script)])
        desk.place(order("1", shares: 9))
        desk.advance(milliseconds: 9)
        #expect(desk.state("1") == "partiallyFilled 2/9")
        desk.advance(milliseconds: 1)
        #expect(desk.book.executions.map(\.quantity) == [shares(2), shares(3), shares(4)])
        #expect(desk.book.executions.map(\.price) == [applePrice, Price(unscaled: 210_0000), applePrice])
        // Steps beyond the quantity find nothing left.
        desk.place(order("2", shares: 1))
        desk.advance(milliseconds: 10)
        #expect(desk.state("2") == "filled 1/1")
        #expect(desk.book.executions.count == 4)
    }

    @Test func whatStepsLeaveIsNotFilled() {
        var desk = Desk([.script(BrokerFillScript(shape: steps([(0, 2), (10, 1)])))])
        for timeInForce in TimeInForce.allCases {
            desk.place(order("\(timeInForce)", shares: 5, timeInForce: timeInForce))
        }
        desk.advance(milliseconds: 10)
        #expect(desk.state("day") == "partiallyFilled 3/5")
        #expect(desk.state("goodTillCancel") == "partiallyFilled 3/5")
        // The rest of an immediate order ends with its last fill; fill or kill fills whole or not at all.
        #expect(desk.state("immediateOrCancel") == "canceled 3/5")
        #expect(desk.state("fillOrKill") == "canceled 0/5")
        let cancel = desk.book.feed.last { $0.kind == .canceled }
        #expect(cancel?.at == start + .milliseconds(10))
        #expect(cancel?.cause == .remainder)
    }

    @Test func partsOfRandomSizeAddUpAndDependOnTheSeed() {
        func sizes(_ seed: Int64, _ count: Int64) -> [Quantity] {
            var desk = Desk(
                { $0.seed = seed },
                [.script(BrokerFillScript(shape: .split(BrokerSplit(parts: 5, random: true))))])
            desk.place(order("1", shares: count))
            desk.advance()
            #expect(desk.state("1") == "filled \(count)/\(count)")
            return desk.book.executions.map(\.quantity)
        }
        #expect(sizes(1, 1000) == sizes(1, 1000))
        #expect(sizes(1, 1000) != sizes(2, 1000))
        #expect(Set(sizes(1, 1000)).count > 1)
        for seed in 1...20 {
            for count in [1, 3, 5, 6, 17] as [Int64] {
                let parts = sizes(Int64(seed), count)
                #expect(parts.count == min(5, Int(count)))
                #expect(parts.allSatisfy { $0.isWhole && $0.isPositive })
            }
        }
    }

    @Test func aTrickleHasFixedPauses() {
        var desk = Desk([
            .script(
                BrokerFillScript(
                    shape: .split(BrokerSplit(parts: 3, spacing: Google_Protobuf_Duration(.milliseconds(5)))),
                    latency: .fixed(.milliseconds(7))))
        ])
        desk.place(order("1", shares: 3))
        desk.advance(milliseconds: 100)
        #expect(desk.book.executions.map(\.at) == [7, 12, 17].map { start + .milliseconds($0) })
    }

    @Test func fillsComeBeforeTheAcknowledgement() {
        var desk = Desk([
            .script(
                BrokerFillScript(
                    shape: .split(BrokerSplit(parts: 2)), latency: .fixed(.seconds(1)), beforeAcknowledgement: true))
        ])
        desk.place(order("1", shares: 2))
        #expect(
            desk.story == ["trade 1 partiallyFilled 1+1", "trade 1 filled 2+0", "new filled 2+0"])
        // One that has to wait for its price is acknowledged like others.
        desk.place(order("2", limit: Price(unscaled: 200_0000)))
        #expect(desk.story.last == "new new 0+1")
    }

    @Test func aLatePrintComesAfterTheCancel() {
        var script = BrokerFillScript(shape: .split(BrokerSplit(parts: 2)), latency: .fixed(.milliseconds(10)))
        var desk = Desk([.script(script)])
        desk.place(order("1", shares: 4))
        desk.cancel("1", request: "c")
        desk.advance(milliseconds: 20)
        #expect(desk.state("1") == "canceled 0/4")
        script.afterCancel = true
        desk = Desk([.script(script)])
        desk.place(order("1", shares: 4))
        desk.cancel("1", request: "c")
        desk.advance(milliseconds: 20)
        #expect(
            desk.story == [
                "new new 0+4", "canceled canceled 0+0", "trade 2 canceled 2+0", "trade 2 canceled 4+0",
            ])
        #expect(desk.held == shares(4))
        #expect(throws: BrokerRefusal.alreadyCanceled(desk.book.orders[0].id)) { try desk.fill("1", 1) }
    }

    @Test func moreIsFilledThanWasOrdered() throws {
        var desk = Desk([
            .script(
                BrokerFillScript(
                    shape: .split(BrokerSplit(parts: 2)), latency: .fixed(.milliseconds(10)), overfillQty: decimal(3)))
        ])
        desk.place(order("1", shares: 4))
        desk.advance(milliseconds: 10)
        #expect(desk.story == ["new new 0+4", "trade 2 partiallyFilled 2+2", "trade 5 filled 7+0"])
        #expect(desk.held == shares(7))
        // A hand that came first leaves the last fill its excess.
        desk.place(order("2", shares: 4))
        try desk.fill("2", 3)
        desk.advance(milliseconds: 10)
        #expect(desk.state("2") == "filled 7/4")
    }

    @Test func pricesAreMovedEvenBeyondTheLimit() {
        var desk = Desk([
            .script(BrokerFillScript(priceOffset: WireDecimal(unscaled: 10_000, scale: 4)))
        ])
        desk.place(order("1", limit: applePrice))
        desk.advance()
        #expect(desk.book.executions[0].price == Price(unscaled: 224_0200))
        desk = Desk([.script(BrokerFillScript(priceOffset: decimal(-1000)))])
        desk.place(order("1"))
        desk.advance()
        #expect(desk.book.executions[0].price == Price(unscaled: 1))
    }

    @Test func commissionsComeLater() throws {
        var desk = Desk([.script(BrokerFillScript(commissionAfter: .fixed(.milliseconds(10))))])
        desk.place(order("1", shares: 3))
        desk.advance(milliseconds: 9)
        #expect(desk.book.feed.last?.commission == nil)
        #expect(desk.book.executions[0].commission == nil)
        desk.advance(milliseconds: 1)
        let report = try #require(desk.book.feed.last)
        #expect(report.kind == .restated)
        #expect(report.reference == 2)
        #expect(report.commission == Money(minorUnits: 47, currency: .usd))
        #expect(desk.book.executions[0].commission == report.commission)
        #expect(desk.book.accounts.book(of: alice)?.balance.commissions == report.commission)
        #expect(desk.story.last == "restated filled 3+0")
        // Nothing is charged for what is void.
        desk.place(order("2", shares: 3))
        desk.advance()
        desk.bust(desk.trade(1))
        let count = desk.book.feed.count
        desk.advance(milliseconds: 10)
        #expect(desk.book.feed.count == count)
    }

    @Test func fillsAreVoidedAndCorrectedByThemselves() throws {
        let after = BrokerLatency.fixed(.milliseconds(10))
        var desk = Desk([
            .script(
                BrokerFillScript(
                    shape: .split(BrokerSplit(parts: 2)), bustAfter: .fixed(.milliseconds(20)),
                    correct: BrokerCorrection(after: after, priceOffset: decimal(1), qtyOffset: decimal(-1))))
        ])
        desk.place(order("1", shares: 4, timeInForce: .goodTillCancel))
        desk.advance(milliseconds: 10)
        #expect(desk.state("1") == "filled 2/4")
        #expect(desk.book.executions.map(\.price) == Array(repeating: Price(unscaled: 224_0200), count: 2))
        #expect(desk.held == shares(2))
        desk.advance(milliseconds: 10)
        #expect(desk.state("1") == "filled 0/4")
        #expect(desk.held == .zero)
        #expect(desk.feedKinds == [.new, .trade, .trade, .tradeCorrect, .tradeCorrect, .tradeCancel, .tradeCancel])
        // A share is left at least.
        desk.place(order("2", shares: 1))
        desk.advance(milliseconds: 10)
        #expect(desk.state("2") == "filled 1/1")
    }

    @Test func whatMayBeFilledCannotOverflowPositions() {
        var desk = Desk(
            { $0.fillMode = .manual },
            [.script(BrokerFillScript(overfillQty: decimal(1_000_000)))])
        var verdicts: [String] = []
        for number in 1...4_612 { verdicts.append(desk.place(order("\(number)", shares: 1_000_000))) }
        #expect(verdicts.filter { $0 == "accepted" }.count == 4_611)
        #expect(verdicts.last == "POSITION_LIMIT_EXCEEDED")
    }
}
