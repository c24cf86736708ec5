import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// The unusual life of orders and trades, as clients and tests see it over sockets.
@Suite(.timeLimit(.minutes(1))) struct OrderServiceTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func decimal(_ value: Int64) -> WireDecimal { WireDecimal(unscaled: value, scale: 0) }
    private func shares(_ value: Int64) -> WireDecimal { WireDecimal(unscaled: value * 1_000_000_000, scale: 9) }

    private func replacing(
        _ original: String, _ id: String, shares count: Int64, price: Int64? = 200
    ) -> BrokerReplaceOrderRequest {
        BrokerReplaceOrderRequest(
            clientOrderID: id, origClientOrderID: original, account: "alice", orderQty: decimal(count),
            price: price.map(decimal))
    }

    private func find(_ id: String, _ fixture: BrokerFixture) async throws -> BrokerOrder {
        try await fixture.broker.getOrder(BrokerGetOrderRequest(account: "alice", id: .clientOrderID(id)))
    }

    /// What the stream tells, in short.
    private func story(_ reports: [BrokerSequencedReport]) -> [String] {
        reports.compactMap(\.report).map { report in
            "\(report.execType) \(report.ordStatus) \((report.cumQty?.unscaled ?? -1) / 1_000_000_000)"
        }
    }

    @Test func aReplacementIsAnsweredAndReported() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            _ = try await fixture.place("1", shares: 5, price: "200.00")
            let request = replacing("1", "2", shares: 7)
            let replaced = try #require(try await fixture.broker.replaceOrder(request).order)
            #expect(replaced.clientOrderID == "2")
            #expect(replaced.origClientOrderID == "1")
            #expect(replaced.orderQty == shares(7))
            #expect(try await fixture.broker.replaceOrder(request).order == replaced)
            #expect(try await find("1", fixture) == replaced)
            #expect(try await find("2", fixture) == replaced)
            let report = try #require(try await fixture.stream(2).last?.report)
            #expect(report.execType == .replaced)
            #expect(report.clientOrderID == "2")
            #expect(report.origClientOrderID == "1")
            #expect(try await fixture.broker.getCapabilities(BrokerGetCapabilitiesRequest()).replaceSupported)
            let cases: [(String, Status.Code, BrokerReplaceOrderRequest)] = [
                ("CLIENT_ORDER_ID_REUSED", .alreadyExists, replacing("1", "2", shares: 8)),
                ("ORIG_CLIENT_ORDER_ID_OUTDATED", .failedPrecondition, replacing("1", "3", shares: 8)),
                ("UNKNOWN_ORDER", .notFound, replacing("0", "3", shares: 8)),
                ("PRICE_MISSING", .invalidArgument, replacing("2", "3", shares: 8, price: nil)),
                ("CLIENT_ORDER_ID_INVALID", .invalidArgument, replacing("2", "", shares: 8)),
                ("CLIENT_ORDER_ID_INVALID", .invalidArgument, replacing("", "3", shares: 8)),
                (
                    "ORDER_QTY_MISSING", .invalidArgument,
                    BrokerReplaceOrderRequest(clientOrderID: "3", origClientOrderID: "2", account: "alice")
                ),
            ]
            for (reason, code, request) in cases {
                let refused = await status { try await fixture.broker.replaceOrder(request) }
                #expect(refused?.reason == reason)
                #expect(refused?.code == code, "\(reason)")
            }
        }
        // The chain of ids outlives a restart, and the broker's own id does, too.
        try await BrokerFixture.run(scratch) { fixture in
            let found = try await find("1", fixture)
            let again = try await fixture.broker.replaceOrder(replacing("1", "2", shares: 7)).order
            #expect(found.clientOrderID == "2")
            #expect(again == found)
            let request = BrokerReplaceOrderRequest(
                clientOrderID: "4", account: "alice", orderQty: decimal(9), price: decimal(200), orderID: found.orderID)
            let byOrderID = try await fixture.broker.replaceOrder(request).order
            #expect(byOrderID?.origClientOrderID == "2")
            #expect(byOrderID?.orderQty == shares(9))
        }
    }

    @Test func aSlowReplacementIsOvertaken() async throws {
        let rules: [BrokerRule] = [.slow(.milliseconds(100)), .orders(.newOrderID(BrokerNewOrderID()), id: "renamed")]
        try await BrokerFixture.run(scratch, .with { $0.rules = [rules[0]] }) { fixture in
            let placed = try await fixture.place("1", shares: 5, price: "200.00").order
            #expect(
                try await fixture.broker.replaceOrder(replacing("1", "2", shares: 3)).order?.ordStatus
                    == .pendingReplace)
            let cancel = await status {
                try await fixture.broker.cancelOrder(
                    BrokerCancelOrderRequest(clientOrderID: "c", origClientOrderID: "1", account: "alice"))
            }
            #expect(cancel?.code == .failedPrecondition)
            #expect(cancel?.reason == "REPLACE_PENDING")
            _ = try await fixture.control.fillOrder(BrokerFillOrderRequest(clientOrderID: "1", qty: decimal(1)))
            fixture.clock.advance(milliseconds: 100)
            let reports = try await fixture.stream(3)
            #expect(story(reports) == ["new new 0", "trade pendingReplace 1", "replaced partiallyFilled 1"])
            #expect(reports.compactMap(\.report).map(\.clientOrderID) == ["1", "1", "2"])
            // A rule gives the order another name.
            try await fixture.setRules([rules[1]])
            let renamed = try await fixture.broker.replaceOrder(replacing("2", "3", shares: 4)).order
            #expect(renamed?.orderID != placed?.orderID)
            for id in [renamed?.orderID, placed?.orderID] {
                let found = try await fixture.broker.getOrder(
                    BrokerGetOrderRequest(account: "alice", id: .orderID(id ?? "")))
                #expect(found == renamed)
            }
            #expect(try await fixture.stream(4).last?.report?.orderID == renamed?.orderID)
        }
    }

    @Test func faultsOfAnOrderAreReported() async throws {
        let now = BrokerLatency.fixed(.zero)
        let cases: [(BrokerOrderFault.Fault, [String], text: String)] = [
            (
                .rejectLater(BrokerRejectLater(after: now, text: "margin")), ["new new 0", "rejected rejected 0"],
                "margin"
            ),
            (.neverAcknowledge(BrokerNeverAcknowledge()), ["trade filled 1"], ""),
            (.acknowledgeTwice(BrokerAcknowledgeTwice()), ["new new 0", "new new 0", "trade filled 1"], ""),
            (
                .suspend(BrokerSuspend(after: now, length: now)),
                ["new new 0", "suspended suspended 0", "restated new 0", "trade filled 1"], ""
            ),
            (
                .restate(BrokerRestate(after: now, text: "moved")),
                ["new new 0", "trade filled 1", "restated filled 1"], "moved"
            ),
        ]
        for (index, (fault, expected, text)) in cases.enumerated() {
            let scratch = try Scratch()
            try await BrokerFixture.run(scratch, .with { $0.rules = [.orders(fault)] }) { fixture in
                _ = try await fixture.place("\(index)")
                let reports = try await fixture.stream(expected.count)
                #expect(story(reports) == expected)
                #expect(reports.last?.report?.text == text)
                #expect(Set(reports.compactMap(\.report?.execID)).count == expected.count)
            }
        }
        let cancel = BrokerUnsolicitedCancel(after: now, text: "corporate action")
        try await BrokerFixture.run(scratch, .with { $0.rules = [.orders(.unsolicitedCancel(cancel))] }) { fixture in
            _ = try await fixture.place("1", price: "200.00")
            let reports = try await fixture.stream(2)
            #expect(story(reports) == ["new new 0", "canceled canceled 0"])
            #expect(reports.last?.report?.text == "corporate action")
        }
    }

    @Test func fillsHaveTheirScript() async throws {
        let script = BrokerFillScript(
            shape: .split(BrokerSplit(parts: 2)), beforeAcknowledgement: true, overfillQty: decimal(2),
            priceOffset: decimal(-1), commissionAfter: .fixed(.zero), commissionCurrency: "EUR",
            bustAfter: .fixed(.milliseconds(50)),
            correct: BrokerCorrection(after: .fixed(.milliseconds(20)), qtyOffset: decimal(1)))
        try await BrokerFixture.run(scratch, .with { $0.rules = [.script(script)] }) { fixture in
            _ = try await fixture.place("1", shares: 4)
            var reports = try await fixture.stream(5)
            #expect(
                story(reports) == [
                    "trade partiallyFilled 2", "trade filled 6", "new filled 6", "restated filled 6",
                    "restated filled 6",
                ])
            let wire = reports.compactMap(\.report)
            #expect(wire[0].lastPx == WireDecimal(unscaled: 222_0200, scale: 4))
            #expect(wire[0].commission == nil)
            #expect(wire[3].execRefID == wire[0].execID)
            #expect(wire[3].commission == WireMoney(currency: "EUR", minor: 31))  // 2 x 222.02 x 7 bp
            #expect(wire[3].lastQty == nil)
            fixture.clock.advance(milliseconds: 20)
            reports = try await fixture.stream(7)
            #expect(Array(story(reports).suffix(2)) == ["tradeCorrect filled 7", "tradeCorrect filled 8"])
            #expect(reports[5].report?.execRefID == wire[0].execID)
            #expect(reports[5].report?.lastQty == shares(3))
            fixture.clock.advance(milliseconds: 30)
            reports = try await fixture.stream(9)
            #expect(Array(story(reports).suffix(2)) == ["tradeCancel filled 5", "tradeCancel filled 0"])
            #expect(reports[7].report?.execRefID == reports[5].report?.execID)
            #expect(try await fixture.truth().positions.allSatisfy { $0.qty == shares(0) })
        }
    }

    @Test func anImmediateOrderEndsWithItsFillsAndAPrintMayBeLate() async throws {
        let step = BrokerFillSteps(steps: [BrokerFillStep(qty: decimal(2))])
        try await BrokerFixture.run(scratch, .with { $0.rules = [.script(BrokerFillScript(shape: .steps(step)))] }) {
            fixture in
            _ = try await fixture.broker.placeOrder(BrokerFixture.request("1", shares: 5, timeInForce: .ioc))
            var reports = try await fixture.stream(3)
            #expect(story(reports) == ["new new 0", "trade partiallyFilled 2", "canceled canceled 2"])
            try await fixture.setRules([
                .script(BrokerFillScript(latency: .fixed(.milliseconds(10)), afterCancel: true))
            ])
            _ = try await fixture.place("2", shares: 3)
            _ = try await fixture.broker.cancelOrder(
                BrokerCancelOrderRequest(clientOrderID: "c", origClientOrderID: "2", account: "alice"))
            fixture.clock.advance(milliseconds: 10)
            reports = try await fixture.stream(6)
            #expect(Array(story(reports).suffix(3)) == ["new new 0", "canceled canceled 0", "trade canceled 3"])
        }
    }

    @Test func tradesAreVoidedAndCorrectedByHand() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            for number in 1...3 { _ = try await fixture.place("\(number)", shares: 2) }
            let trades = try await fixture.stream(6).compactMap(\.report).filter { $0.execType == .trade }
            let ids = trades.map(\.execID)
            let correction = try await fixture.control.correctExecution(
                BrokerCorrectExecutionRequest(execID: ids[0], qty: decimal(1), text: "wrong size")
            ).report
            #expect(correction?.report?.execType == .tradeCorrect)
            #expect(correction?.report?.execRefID == ids[0])
            #expect(correction?.report?.lastQty == shares(1))
            #expect(correction?.report?.text == "wrong size")
            let corrected = try #require(correction?.report?.execID)
            let again = try await fixture.control.correctExecution(
                BrokerCorrectExecutionRequest(execID: corrected, price: decimal(100))
            ).report?.report
            #expect(again?.execRefID == corrected)
            #expect(again?.lastQty == shares(1))
            #expect(again?.commission == WireMoney(currency: "USD", minor: 7))
            let bust = try await fixture.control.bustExecution(
                BrokerBustExecutionRequest(execID: ids[0], text: "clearly erroneous")
            ).report?.report
            #expect(bust?.execType == .tradeCancel)
            #expect(bust?.execRefID == again?.execID)
            #expect(bust?.cumQty == shares(0))
            #expect(bust?.ordStatus == .filled)
            #expect(bust?.commission == nil)
            #expect(try await fixture.stream(9).last?.report?.execID == bust?.execID)
            let cases: [(String, Status.Code, BrokerBustExecutionRequest)] = [
                ("ALREADY_BUSTED", .failedPrecondition, BrokerBustExecutionRequest(execID: ids[0])),
                ("UNKNOWN_EXECUTION", .notFound, BrokerBustExecutionRequest(execID: "none")),
                ("EXEC_ID_INVALID", .invalidArgument, BrokerBustExecutionRequest()),
                (
                    "SETTING_INVALID", .invalidArgument,
                    BrokerBustExecutionRequest(execID: ids[1], text: String(repeating: "a", count: 257))
                ),
            ]
            for (reason, code, request) in cases {
                let refused = await status { try await fixture.control.bustExecution(request) }
                #expect(refused?.reason == reason)
                #expect(refused?.code == code, "\(reason)")
            }
        }
    }

    @Test func aWholeWindowOfTradesIsVoid() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            for number in 1...3 {
                _ = try await fixture.place("\(number)", shares: 2)
                _ = try await fixture.stream(2 * number)
                fixture.clock.advance(milliseconds: 1000)
            }
            let ids = try await fixture.stream(6).compactMap(\.report).filter { $0.execType == .trade }.map(\.execID)
            var request = BrokerMassBustRequest(
                from: Google_Protobuf_Timestamp(start + .seconds(1)), symbol: "AAPL", text: "venue", dryRun: true)
            let before = try await fixture.truth()
            let dry = try await fixture.control.massBust(request)
            #expect(dry.count == 2)
            #expect(dry.execIDs == Array(ids.dropFirst()))
            #expect(try await fixture.truth() == before)
            request.dryRun = false
            #expect(try await fixture.control.massBust(request) == dry)
            let busts = try await fixture.stream(8).suffix(2).compactMap(\.report)
            #expect(busts.map(\.execRefID) == dry.execIDs)
            #expect(busts.map(\.text) == ["venue", "venue"])
            #expect(try await fixture.truth().positions.map(\.qty) == [shares(2)])
            // What is void already is not voided again.
            #expect(try await fixture.control.massBust(request).count == 0)
            let wrong = await status {
                try await fixture.control.massBust(BrokerMassBustRequest(from: request.from, to: request.from))
            }
            #expect(wrong?.reason == "WINDOW_INVALID")
        }
        // It is all in the journal.
        try await BrokerFixture.run(scratch) { fixture in
            let truth = try await fixture.truth()
            #expect(truth.positions.map(\.qty) == [shares(2)])
            #expect(truth.orders.map(\.cumQty) == [shares(2), shares(0), shares(0)])
        }
    }
}
