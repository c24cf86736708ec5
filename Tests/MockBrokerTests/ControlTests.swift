import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// The broker as tests steer it, and what it keeps over a restart.
@Suite struct ControlTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func behaviorIsSetAndShown() async throws {
        try await BrokerFixture.run(scratch, .with { $0.behavior.seed = 5 }) { fixture in
            #expect(try await fixture.control.getBehavior(BrokerGetBehaviorRequest()).seed == 5)
            var wanted = BrokerBehavior(
                seed: -1, idempotencyMode: .echoOnly, dedupWindow: Google_Protobuf_Duration(seconds: 600),
                idScope: .week, ignoreChangedRepeats: true, visibilityDelay: Google_Protobuf_Duration(nanos: 5),
                fillMode: .manual, sessionMode: .extended, commissionBasisPoints: 0, hideDecisions: true,
                openingCash: WireMoney(currency: "USD", minor: 7), checkBuyingPower: true)
            try await fixture.setBehavior(wanted)
            #expect(try await fixture.control.getBehavior(BrokerGetBehaviorRequest()) == wanted)
            // What is not set goes back to its default.
            try await fixture.setBehavior(BrokerBehavior(seed: 3))
            wanted = try await fixture.control.getBehavior(BrokerGetBehaviorRequest())
            #expect(wanted.idempotencyMode == .returnOriginal)
            #expect(wanted.fillMode == .marketable)
            #expect(wanted.dedupWindow == nil)
            #expect(wanted.commissionBasisPoints == 7)
        }
    }

    @Test func nonsenseIsRefusedWithTheFieldsPath() async throws {
        let cases: [(String, BrokerBehavior)] = [
            ("behavior.visibility_delay", BrokerBehavior(visibilityDelay: Google_Protobuf_Duration(seconds: -1))),
            ("behavior.dedup_window", BrokerBehavior(dedupWindow: Google_Protobuf_Duration(seconds: .max))),
            ("behavior.commission_basis_points", BrokerBehavior(commissionBasisPoints: 10_001)),
            ("behavior.idempotency_mode", BrokerBehavior(idempotencyMode: .unrecognized(9))),
            ("behavior.id_scope", BrokerBehavior(idScope: .unrecognized(9))),
            ("behavior.fill_mode", BrokerBehavior(fillMode: .unrecognized(9))),
        ]
        try await BrokerFixture.run(scratch) { fixture in
            let before = try await fixture.control.getBehavior(BrokerGetBehaviorRequest())
            for (path, behavior) in cases {
                let refused = try #require(await status { try await fixture.setBehavior(behavior) })
                #expect(refused.code == .invalidArgument)
                #expect(WireErrorDetail(refused)?.context["field"] == path)
            }
            let missing = await status { try await fixture.control.setBehavior(BrokerSetBehaviorRequest()) }
            #expect(missing?.reason == "BEHAVIOR_MISSING")
            #expect(try await fixture.control.getBehavior(BrokerGetBehaviorRequest()) == before)
        }
    }

    @Test func fillsByHandAndMovesPrices() async throws {
        try await BrokerFixture.run(scratch, .with { $0.behavior.fillMode = .manual }) { fixture in
            _ = try await fixture.place("order-1", shares: 3)
            let fill = try await fixture.control.fillOrder(
                BrokerFillOrderRequest(
                    clientOrderID: "order-1", qty: WireDecimal(unscaled: 1, scale: 0),
                    price: WireDecimal(unscaled: 22_000, scale: 2)))
            #expect(fill.report?.sequence == 2)
            #expect(fill.report?.report?.lastPx == WireDecimal(unscaled: 220_0000, scale: 4))
            let tooMuch = await status {
                try await fixture.control.fillOrder(
                    BrokerFillOrderRequest(
                        clientOrderID: "order-1", qty: WireDecimal(unscaled: 3, scale: 0), account: "alice"))
            }
            #expect(tooMuch?.reason == "FILL_EXCEEDS_LEAVES")
            let unknown = await status {
                try await fixture.control.fillOrder(BrokerFillOrderRequest(clientOrderID: "order-1", account: "bob"))
            }
            #expect(unknown?.code == .notFound)

            try await fixture.setBehavior(BrokerBehavior())
            _ = try await fixture.place("order-2", price: "200.00")
            let moved = try await fixture.control.setPrice(
                BrokerSetPriceRequest(symbol: "AAPL", price: WireDecimal(unscaled: 199, scale: 0)))
            #expect(moved.touchedOrders == 1)
            let listed = try await fixture.control.setPrice(
                BrokerSetPriceRequest(symbol: "MSFT", price: WireDecimal(unscaled: 29, scale: 0)))
            #expect(listed.touchedOrders == 0)
            _ = try await fixture.broker.placeOrder(BrokerFixture.request("order-3", symbol: "MSFT"))
            let reports = try await fixture.stream(7)
            #expect(reports.last?.report?.lastPx == WireDecimal(unscaled: 29_0000, scale: 4))
            for price in [0, -1] as [Int64] {
                let wrong = await status {
                    try await fixture.control.setPrice(
                        BrokerSetPriceRequest(symbol: "AAPL", price: WireDecimal(unscaled: price, scale: 0)))
                }
                #expect(wrong?.reason == "PRICE_NOT_POSITIVE")
            }
        }
    }

    @Test func truthComesInPages() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            for number in 1...5 {
                let account = number.isMultiple(of: 2) ? "bob" : "alice"
                _ = try await fixture.broker.placeOrder(BrokerFixture.request("order-\(number)", account: account))
            }
            _ = try await fixture.stream(10)
            let all = try await fixture.truth()
            #expect(all.orderCount == 5)
            #expect(all.lastSequence == 10)
            var orders: [BrokerOrder] = []
            var reports: [BrokerSequencedReport] = []
            for page in 0..<5 {
                let part = try await fixture.control.getTruth(
                    BrokerGetTruthRequest(afterOrder: Int64(page * 2), afterSequence: Int64(page * 2), limit: 2))
                orders += part.orders
                reports += part.reports
            }
            #expect(orders == all.orders)
            #expect(reports == all.reports)
            let bob = try await fixture.control.getTruth(BrokerGetTruthRequest(account: "bob"))
            #expect(bob.orders.map(\.clientOrderID) == ["order-2", "order-4"])
            #expect(bob.reports.count == 4)
            let wrong = await status {
                try await fixture.control.getTruth(BrokerGetTruthRequest(afterSequence: -1))
            }
            #expect(wrong?.reason == "PAGE_INVALID")
            let beyond = try await fixture.control.getTruth(
                BrokerGetTruthRequest(afterOrder: .max, afterSequence: .max, limit: .max))
            #expect(beyond.orders.isEmpty && beyond.reports.isEmpty)
        }
    }

    @Test func aRestartKeepsTheTruth() async throws {
        var before = BrokerTruth()
        func configure(_ configuration: inout MockBrokerConfiguration) {
            configuration.rules = [.fills(parts: 2), .loseReplies(attempts: 1...1)]
            configuration.noAnswerLimit = .zero
        }
        var cursor = ""
        try await BrokerFixture.run(scratch, .with(configure)) { fixture in
            for number in 1...20 { _ = await status { try await fixture.place("order-\(number)", shares: 3) } }
            _ = await status { try await fixture.place("resting", price: "1.00") }
            cursor = try #require(try await fixture.stream(61).last?.cursor)
            try await fixture.setBehavior(BrokerBehavior(seed: 9))
            before = try await fixture.truth()
            #expect(before.lostReplies == 21)
        }
        // The same configuration: what was set at run time stays.
        try await BrokerFixture.run(scratch, .with(configure)) { fixture in
            #expect(try await fixture.truth() == before)
            #expect(try await fixture.control.getBehavior(BrokerGetBehaviorRequest()).seed == 9)
            #expect(try await fixture.place("order-1", shares: 3).replayed)
            let page = try await fixture.broker.listExecutions(BrokerListExecutionsRequest(cursor: cursor))
            #expect(page.reports.isEmpty && page.complete && page.nextCursor == cursor)
        }
        // Another one wins.
        try await BrokerFixture.run(scratch, .with { $0.behavior.seed = 10 }) { fixture in
            let behavior = try await fixture.control.getBehavior(BrokerGetBehaviorRequest())
            #expect(behavior.seed == 10)
            #expect(try await fixture.truth().orders == before.orders)
        }
    }

    /// What a client was told is in the file at that moment, whatever happens next.
    @Test func nothingThatWasAnsweredIsMissingFromTheFile() async throws {
        let other = try Scratch()
        try await BrokerFixture.run(scratch) { fixture in
            for round in 1...5 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...20 { group.addTask { _ = try await fixture.place("order-\(round)-\(number)") } }
                    try await group.waitForAll()
                }
                let told = try await fixture.broker.listExecutions(BrokerListExecutionsRequest(pageSize: 1000))
                // As if the process had been killed here.
                try other.write(try scratch.bytes("journal"), to: "journal")
                let book = try Namespaces.read(other.path("journal")).book
                #expect(book.orders.count == round * 20)
                #expect(book.feed.count >= told.reports.count)
                #expect(told.reports.last?.cursor == book.cursor(after: told.reports.count))
            }
        }
    }

    @Test func aWrongConfigurationStopsTheStart() async throws {
        let wrong: [(inout MockBrokerConfiguration) -> Void] = [
            { $0.behavior.visibilityDelay = .seconds(-1) }, { $0.heartbeatInterval = .zero },
            { $0.noAnswerLimit = .seconds(-1) }, { $0.idLimit = 0 }, { $0.prices[apple] = .zero },
            { $0.rules = [.loseReplies(probability: 2)] }, { $0.rules = [.fills(), .fills()] },
        ]
        for change in wrong {
            await #expect(throws: InvalidSetting.self) { try await BrokerFixture.run(scratch, .with(change)) { _ in } }
        }
        await #expect(throws: JournalError.self) {
            try await BrokerFixture.run(scratch, .with { $0.journalPath = scratch.path("none/journal") }) { _ in }
        }
    }
}
