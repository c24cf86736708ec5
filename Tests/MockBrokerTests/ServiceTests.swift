import Contracts
import Domain
import Limits
import MockBroker
import Protobuf
import RPCCore
import Testing

/// The broker as its clients see it, over sockets.
@Suite struct ServiceTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func oneShareFromTheOrderToTheFill() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            let placed = try await fixture.place("order-1")
            let order = try #require(placed.order)
            #expect(!placed.replayed)
            #expect(order.ordStatus == .new)
            #expect(order.leavesQty == WireDecimal(unscaled: 1_000_000_000, scale: 9))
            let reports = try await fixture.stream(2)
            #expect(reports.map(\.sequence) == [1, 2])
            #expect(reports.compactMap { $0.report?.execType } == [.new, .trade])
            let fill = try #require(reports[1].report)
            #expect(fill.orderID == order.orderID)
            #expect(fill.clientOrderID == "order-1")
            #expect(fill.lastPx == WireDecimal(unscaled: 223_0200, scale: 4))
            #expect(fill.ordStatus == .filled)
            #expect(fill.commission == WireMoney(currency: "USD", minor: 16))
            #expect(fill.tradeDate == "2026-11-20")
            let found = try await fixture.broker.getOrder(
                BrokerGetOrderRequest(account: "alice", id: .clientOrderID("order-1")))
            #expect(found.ordStatus == .filled)
            let byOrderID = try await fixture.broker.getOrder(
                BrokerGetOrderRequest(account: "alice", id: .orderID(order.orderID)))
            #expect(byOrderID == found)
            let truth = try await fixture.truth()
            #expect(truth.reports == reports)
            #expect(truth.positions.map(\.qty) == [WireDecimal(unscaled: 1_000_000_000, scale: 9)])
            // The first answer comes again, as it was.
            let again = try await fixture.place("order-1")
            #expect(again.replayed)
            #expect(again.order == order)
        }
    }

    @Test func theReplyIsLostButNotTheOrder() async throws {
        try await BrokerFixture.run(scratch, .with { $0.rules = [.loseReplies(attempts: 1...1)] }) { fixture in
            let request = try BrokerFixture.request("order-1")
            let lost = await status {
                try await fixture.broker.placeOrder(request, options: CallOptions(timeout: .seconds(1)))
            }
            #expect(lost?.code == .deadlineExceeded)
            #expect(lost?.outcome == .unknown)
            let again = try await fixture.broker.placeOrder(request)
            #expect(again.replayed)
            let truth = try await fixture.truth()
            #expect(truth.orders.count == 1)
            #expect(truth.placeAttempts == 2)
            #expect(truth.lostReplies == 1)
        }
    }

    @Test func aCallerWithoutADeadlineSeesABrokenConnection() async throws {
        try await BrokerFixture.run(
            scratch,
            .with {
                $0.rules = [.loseReplies(attempts: 1...1)]
                $0.noAnswerLimit = .milliseconds(20)
            }
        ) { fixture in
            let lost = await status { try await fixture.place("order-1") }
            #expect(lost?.code == .unavailable)
            #expect(lost?.outcome == .unknown)
        }
    }

    @Test func aLostRequestNeverHappened() async throws {
        try await BrokerFixture.run(scratch, .with { $0.rules = [.loseRequests()] }) { fixture in
            let request = try BrokerFixture.request("order-1")
            let lost = await status {
                try await fixture.broker.placeOrder(request, options: CallOptions(timeout: .seconds(1)))
            }
            #expect(lost?.outcome == .unknown)
            var truth = try await fixture.truth()
            #expect(truth.orders.isEmpty)
            #expect(truth.placeAttempts == 1)
            try await fixture.setRules([])
            #expect(try await !fixture.broker.placeOrder(request).replayed)
            truth = try await fixture.truth()
            #expect(truth.orders.count == 1)
        }
    }

    /// What came with the placement that made the order comes back in each report, also after a restart.
    @Test func theTraceOfAPlacementComesBackInItsReports() async throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let setup = BrokerFixture.Setup.with { $0.behavior.idempotencyMode = .returnOriginal }
        try await BrokerFixture.run(scratch, setup) { fixture in
            for metadata in [["traceparent": trace], ["traceparent": "another"], [:]] as [Metadata] {
                _ = try await fixture.broker.placeOrder(
                    BrokerFixture.request("traced"), options: CallOptions(metadata: metadata))
            }
            let long = String(repeating: "a", count: 257)
            _ = try await fixture.broker.placeOrder(
                BrokerFixture.request("long"), options: CallOptions(metadata: ["traceparent": long]))
            _ = try await fixture.place("bare")
            _ = try await fixture.stream(6)
        }
        try await BrokerFixture.run(scratch, setup) { fixture in
            let reports = try await fixture.stream(6).compactMap(\.report)
            #expect(reports.filter { $0.clientOrderID == "traced" }.map(\.traceparent) == [trace, trace])
            #expect(reports.filter { $0.clientOrderID != "traced" }.map(\.traceparent) == ["", "", "", ""])
        }
    }

    @Test func fillsAreDeliveredAsOftenAsTold() async throws {
        try await BrokerFixture.run(scratch, .with { $0.rules = [.duplicateFills(copies: 2)] }) { fixture in
            _ = try await fixture.place("order-1")
            let reports = try await fixture.stream(4)
            #expect(reports.map(\.sequence) == [1, 2, 2, 2])
            #expect(Set(reports.dropFirst()).count == 1)
            let page = try await fixture.broker.listExecutions(BrokerListExecutionsRequest())
            #expect(page.reports.map(\.sequence) == [1, 2])
            #expect(page.complete)
        }
    }

    @Test func theFeedResumesFromItsCursors() async throws {
        try await BrokerFixture.run(scratch, .with { $0.rules = [.fills(parts: 3)] }) { fixture in
            for number in 1...3 { _ = try await fixture.place("order-\(number)", shares: 3) }
            let all = try await fixture.stream(12)
            #expect(all.map(\.sequence) == Array(1...12))
            for (index, report) in all.enumerated().dropLast() {
                #expect(try await fixture.stream(1, from: report.cursor) == [all[index + 1]])
            }
            var pulled: [BrokerSequencedReport] = []
            var request = BrokerListExecutionsRequest(pageSize: 5)
            while true {
                let page = try await fixture.broker.listExecutions(request)
                pulled += page.reports
                request.cursor = page.nextCursor
                if page.complete { break }
            }
            #expect(pulled == all)
            #expect(try await fixture.broker.listExecutions(request).nextCursor == all[11].cursor)
            for cursor in ["x", "c.", "c." + String(repeating: "a", count: 32), all[0].cursor + "0", "-1.a", "é"] {
                let pull = await status {
                    try await fixture.broker.listExecutions(BrokerListExecutionsRequest(cursor: cursor))
                }
                #expect(pull?.reason == "UNKNOWN_CURSOR", "\(cursor)")
                let stream = await status { try await fixture.stream(1, from: cursor) }
                #expect(stream?.reason == "UNKNOWN_CURSOR", "\(cursor)")
            }
            for size in [-1, 1001] as [Int32] {
                let wrong = await status {
                    try await fixture.broker.listExecutions(BrokerListExecutionsRequest(pageSize: size))
                }
                #expect(wrong?.reason == "PAGE_SIZE_INVALID")
            }
        }
    }

    @Test func heartbeatsCarryTheEndOfTheFeed() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.broker.streamExecutions(BrokerStreamExecutionsRequest()) { events in
                var iterator = events.makeAsyncIterator()
                guard case .heartbeat(let first)? = try await iterator.next()?.event else {
                    Issue.record("the stream did not begin with a heartbeat")
                    return
                }
                #expect(first.lastSequence == 0)
                #expect(first.lastCursor.isEmpty)
                _ = try await fixture.place("order-1", price: "1.00")
                guard case .report(let report)? = try await iterator.next()?.event else {
                    Issue.record("no report")
                    return
                }
                // Silence counts from the last message on.
                await fixture.clock.waitForSleeper(milliseconds: 1000)
                fixture.clock.advance(milliseconds: 1000)
                guard case .heartbeat(let second)? = try await iterator.next()?.event else {
                    Issue.record("no heartbeat")
                    return
                }
                #expect(second.lastSequence == 1)
                #expect(second.lastCursor == report.cursor)
                #expect(second.serverTime?.seconds == start.seconds + 1)
            }
        }
    }

    @Test func repliesAndFillsComeWhenTheirDelayIsOver() async throws {
        try await BrokerFixture.run(
            scratch,
            .with {
                $0.rules = [
                    .slowReplies("replies", .fixed(.milliseconds(300)), of: [.placeOrder]),
                    .fills("fills", .fixed(.milliseconds(200))),
                ]
            }
        ) { fixture async throws in
            async let placed = fixture.place("order-1")
            await fixture.clock.waitForSleeper(milliseconds: 300)
            await fixture.clock.waitForSleeper(milliseconds: 200)
            #expect(try await fixture.truth().reports.count == 1)
            fixture.clock.advance(milliseconds: 200)
            // The fill overtakes the answer.
            #expect(try await fixture.stream(2).last?.report?.execType == .trade)
            fixture.clock.advance(milliseconds: 100)
            #expect(try await placed.order?.ordStatus == .new)
        }
    }

    @Test func aLookUpMissesWhatIsNotVisibleYet() async throws {
        try await BrokerFixture.run(scratch, .with { $0.behavior.visibilityDelay = .milliseconds(500) }) { fixture in
            let placed = try await fixture.place("order-1")
            let orderID = try #require(placed.order?.orderID)
            for id in [BrokerGetOrderRequest.ID.clientOrderID("order-1"), .orderID(orderID)] {
                let missed = await status {
                    try await fixture.broker.getOrder(BrokerGetOrderRequest(account: "alice", id: id))
                }
                #expect(missed?.code == .notFound)
                #expect(missed?.outcome == .unknown)
            }
            fixture.clock.advance(milliseconds: 500)
            let request = BrokerGetOrderRequest(account: "alice", id: .orderID(orderID))
            #expect(try await fixture.broker.getOrder(request).clientOrderID == "order-1")
            let foreign = await status {
                try await fixture.broker.getOrder(BrokerGetOrderRequest(account: "bob", id: .orderID(orderID)))
            }
            #expect(foreign?.reason == "UNKNOWN_ORDER")
        }
    }

    @Test func cancelsInTimeAndTooLate() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            _ = try await fixture.place("resting", price: "200.00")
            let cancel = BrokerCancelOrderRequest(
                clientOrderID: "cancel-1", origClientOrderID: "resting", account: "alice")
            #expect(try await fixture.broker.cancelOrder(cancel).order?.ordStatus == .canceled)
            #expect(try await fixture.stream(2).last?.report?.execType == .canceled)
            _ = try await fixture.place("filled")
            #expect(try await fixture.stream(4).last?.report?.ordStatus == .filled)
            let late = await status {
                try await fixture.broker.cancelOrder(
                    BrokerCancelOrderRequest(
                        clientOrderID: "cancel-2", origClientOrderID: "filled", account: "alice"))
            }
            #expect(late?.code == .failedPrecondition)
            #expect(late?.reason == "ALREADY_FILLED")
            #expect(late?.outcome == .definitelyNotDone)
        }
    }

    @Test func badInputIsRefusedWithItsReason() async throws {
        var cases: [(String, BrokerPlaceOrderRequest)] = []
        func add(_ reason: String, _ change: (inout BrokerPlaceOrderRequest) -> Void) throws {
            var request = try BrokerFixture.request("order-1", price: "200.00")
            change(&request)
            cases.append((reason, request))
        }
        try add("CLIENT_ORDER_ID_INVALID") { $0.clientOrderID = "" }
        try add("CLIENT_ORDER_ID_INVALID") { $0.clientOrderID = String(repeating: "a", count: 37) }
        try add("CLIENT_ORDER_ID_INVALID") { $0.clientOrderID = "a b" }
        try add("ACCOUNT_INVALID") { $0.account = "" }
        try add("ACCOUNT_INVALID") { $0.account = String(repeating: "a", count: 100_000) }
        try add("SYMBOL_INVALID") { $0.symbol = "" }
        try add("UNKNOWN_SYMBOL") { $0.symbol = "aapl" }
        try add("SIDE_UNSUPPORTED") { $0.side = .unspecified }
        try add("SIDE_UNSUPPORTED") { $0.side = .unrecognized(9) }
        try add("ORD_TYPE_UNSUPPORTED") { $0.ordType = .unspecified }
        try add("TIME_IN_FORCE_UNSUPPORTED") { $0.timeInForce = .unrecognized(77) }
        try add("ORDER_QTY_MISSING") { $0.orderQty = nil }
        try add("ORDER_QTY_NOT_POSITIVE") { $0.orderQty = WireDecimal(unscaled: 0, scale: 0) }
        try add("ORDER_QTY_NOT_POSITIVE") { $0.orderQty = WireDecimal(unscaled: -1, scale: 0) }
        try add("ORDER_QTY_NOT_WHOLE") { $0.orderQty = WireDecimal(unscaled: 15, scale: 1) }
        try add("ORDER_QTY_TOO_LARGE") { $0.orderQty = WireDecimal(unscaled: 1_000_001, scale: 0) }
        try add("DECIMAL_OUT_OF_RANGE") { $0.orderQty = WireDecimal(unscaled: .max, scale: 0) }
        try add("DECIMAL_OUT_OF_RANGE") { $0.orderQty = WireDecimal(unscaled: 1, scale: .min) }
        try add("DECIMAL_OUT_OF_RANGE") { $0.orderQty = WireDecimal(unscaled: 1, scale: .max) }
        try add("PRICE_MISSING") { $0.price = nil }
        try add("PRICE_NOT_ALLOWED") { $0.ordType = .market }
        try add("PRICE_OFF_TICK") { $0.price = WireDecimal(unscaled: 200_005, scale: 3) }
        try add("PRICE_NOT_POSITIVE") { $0.price = WireDecimal(unscaled: .min, scale: 4) }
        try add("PRICE_OUT_OF_RANGE") { $0.price = WireDecimal(unscaled: .max, scale: 4) }
        try await BrokerFixture.run(scratch) { fixture in
            for (reason, request) in cases {
                let refused = await status { try await fixture.broker.placeOrder(request) }
                #expect(refused?.code == .invalidArgument, "\(reason)")
                #expect(refused?.reason == reason)
                #expect(refused?.outcome == .definitelyNotDone)
            }
            #expect(try await fixture.truth().orders.isEmpty)
            _ = try await fixture.place("order-1")
            let reused = await status { try await fixture.place("order-1", shares: 2) }
            #expect(reused?.code == .alreadyExists)
            #expect(reused?.reason == "CLIENT_ORDER_ID_REUSED")
        }
    }

    @Test func duplicatesProveTheOrderWhereTheBrokerRejectsThem() async throws {
        try await BrokerFixture.run(scratch, .with { $0.behavior.idempotencyMode = .rejectDuplicate }) { fixture in
            let order = try await fixture.place("order-1").order
            let duplicate = try #require(await status { try await fixture.place("order-1") })
            #expect(duplicate.code == .alreadyExists)
            #expect(duplicate.outcome == .definitelyDone)
            #expect(WireErrorDetail(duplicate)?.context["order_id"] == order?.orderID)
            let record = try await fixture.broker.getCapabilities(BrokerGetCapabilitiesRequest())
            #expect(record.idempotencyMode == .rejectDuplicate)
            #expect(record.brokerID == "mock")
            #expect(record.ordTypes == [.market, .limit])
            #expect(record.timesInForce == [.day, .gtc, .ioc, .fok])
        }
    }
}
