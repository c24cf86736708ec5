import Contracts
import Domain
import MockBroker
import RPCCore
import Testing

/// What a repeated id does, for how long and within what, as clients see it on a clock that stands; and that the capability
/// record says so.
@Suite struct IdempotencyTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func capabilities(_ fixture: BrokerFixture) async throws -> Contracts.BrokerCapabilities {
        try await fixture.broker.getCapabilities(BrokerGetCapabilitiesRequest())
    }

    @Test func anIDIsForgottenAfterTheWindow() async throws {
        let setup = BrokerFixture.Setup.with { $0.behavior.dedupWindow = .seconds(3600) }
        try await BrokerFixture.run(scratch, setup) { fixture in
            #expect(try await capabilities(fixture).dedupWindowSeconds == 3600)
            try await fixture.setClock("2026-11-20T15:00:00Z")
            let first = try await fixture.place("1", price: "1.00")
            try await fixture.setClock("2026-11-20T15:59:59.999999999Z")
            #expect(try await fixture.place("1", price: "1.00").replayed)
            try await fixture.setClock("2026-11-20T16:00:00Z")
            let second = try await fixture.place("1", price: "1.00")
            #expect(!second.replayed)
            #expect(second.order?.orderID != first.order?.orderID)
            // The window counts from the new order on, and look-ups find it.
            #expect(try await fixture.place("1", price: "1.00").replayed)
            let found = try await fixture.broker.getOrder(
                BrokerGetOrderRequest(account: "alice", id: .clientOrderID("1")))
            #expect(found.orderID == second.order?.orderID)
        }
    }

    @Test(arguments: [
        // Friday's trade date ends at 20:00 in New York, and so does its week.
        (BrokerIdScope.day, "2026-11-21T00:59:59Z", "2026-11-21T01:00:00Z" as String?),
        (.week, "2026-11-21T00:59:59Z", "2026-11-21T01:00:00Z"),
        (.account, "2026-11-27T15:00:00Z", nil),
    ])
    func anIDIsUniqueWithinItsScope(scope: BrokerIdScope, inside: String, outside: String?) async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.setBehavior(BrokerBehavior(idScope: scope))
            #expect(try await capabilities(fixture).idScope == scope)
            try await fixture.setClock("2026-11-20T15:00:00Z")
            _ = try await fixture.place("1", price: "1.00")
            try await fixture.setClock(inside)
            #expect(try await fixture.place("1", price: "1.00").replayed)
            guard let outside else { return }
            try await fixture.setClock(outside)
            #expect(try await !fixture.place("1", price: "1.00").replayed)
            // A Monday's order is known on Friday where weeks count, and not where days do.
            try await fixture.setClock("2026-11-23T15:00:00Z")
            _ = try await fixture.place("2", price: "1.00")
            try await fixture.setClock("2026-11-27T15:00:00Z")
            #expect(try await fixture.place("2", price: "1.00").replayed == (scope == .week))
        }
    }

    @Test(arguments: [false, true]) func aChangedRepeatIsRefusedOrIgnored(isIgnored: Bool) async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.setBehavior(BrokerBehavior(ignoreChangedRepeats: isIgnored))
            #expect(try await capabilities(fixture).changedRepeatRefused == !isIgnored)
            let first = try await fixture.place("1", price: "1.00")
            if isIgnored {
                let again = try await fixture.place("1", shares: 5, price: "2.00")
                #expect(again.replayed)
                #expect(again.order == first.order)
            } else {
                let refused = await status { try await fixture.place("1", shares: 5, price: "2.00") }
                #expect(refused?.reason == "CLIENT_ORDER_ID_REUSED")
            }
            #expect(try await fixture.truth().orders.count == 1)
        }
    }

    @Test func aBrokerWithoutClientIDs() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.setBehavior(BrokerBehavior(idempotencyMode: .none))
            let record = try await capabilities(fixture)
            #expect(record.idempotencyMode == .none)
            #expect(!record.lookupByClientID && !record.cancelByClientID && !record.changedRepeatRefused)
            let first = try #require(try await fixture.place("1", price: "1.00").order)
            let second = try #require(try await fixture.place("1", price: "1.00").order)
            #expect(first.orderID != second.orderID)
            #expect(first.clientOrderID.isEmpty)
            let lookUp = await status {
                try await fixture.broker.getOrder(BrokerGetOrderRequest(account: "alice", id: .clientOrderID("1")))
            }
            #expect(lookUp?.code == .unimplemented)
            func cancel(_ original: String, _ order: String, account: String = "alice") async -> Status? {
                await status {
                    try await fixture.broker.cancelOrder(
                        BrokerCancelOrderRequest(
                            clientOrderID: "c", origClientOrderID: original, account: account, orderID: order))
                }
            }
            #expect(await cancel("1", "")?.code == .unimplemented)
            #expect(await cancel("1", first.orderID)?.reason == "ORDER_ID_AMBIGUOUS")
            #expect(await cancel("", first.orderID, account: "bob")?.reason == "UNKNOWN_ORDER")
            #expect(await cancel("", first.orderID) == nil)
            // The same words again are another request.
            #expect(await cancel("", first.orderID)?.reason == "ALREADY_CANCELED")
            #expect(await cancel("", second.orderID) == nil)
            #expect(try await !fixture.place("c", price: "1.00").replayed)
            let found = try await fixture.broker.getOrder(
                BrokerGetOrderRequest(account: "alice", id: .orderID(first.orderID)))
            #expect(found.ordStatus == .canceled && found.clientOrderID.isEmpty)
            let list = try await fixture.broker.listOrders(BrokerListOrdersRequest(account: "alice"))
            #expect(list.orders.map(\.clientOrderID) == ["", "", ""])
            let streamed = try await fixture.stream(5)
            #expect(streamed.allSatisfy { $0.report?.clientOrderID == "" })
            let pulled = try await fixture.broker.listExecutions(BrokerListExecutionsRequest())
            #expect(pulled.reports == streamed)
            // Whoever tests still knows them.
            #expect(try await fixture.truth().orders.map(\.clientOrderID) == ["1", "1", "c"])
        }
    }

    @Test func ordersAreCancelledByTheBrokersID() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            let order = try #require(try await fixture.place("1", price: "1.00").order)
            let request = BrokerCancelOrderRequest(clientOrderID: "c", account: "alice", orderID: order.orderID)
            for _ in 0..<2 {
                #expect(try await fixture.broker.cancelOrder(request).order?.ordStatus == .canceled)
            }
            var wrong = request
            wrong.orderID = "a b"
            #expect(await status { try await fixture.broker.cancelOrder(wrong) }?.reason == "ORDER_ID_INVALID")
        }
    }

    // MARK: The record

    private static let broken: [(String, @Sendable (inout BrokerPlaceOrderRequest) -> Void)] = [
        ("ACCOUNT_INVALID", { $0.account = "a b" }), ("CLIENT_ORDER_ID_INVALID", { $0.clientOrderID = "" }),
        ("SYMBOL_INVALID", { $0.symbol = "" }), ("UNKNOWN_SYMBOL", { $0.symbol = "NONE" }),
        ("SIDE_UNSUPPORTED", { $0.side = .unspecified }), ("ORD_TYPE_UNSUPPORTED", { $0.ordType = .unspecified }),
        ("TIME_IN_FORCE_UNSUPPORTED", { $0.timeInForce = .unspecified }),
        ("ORDER_QTY_MISSING", { $0.orderQty = nil }),
        ("ORDER_QTY_NOT_POSITIVE", { $0.orderQty = WireDecimal(unscaled: 0, scale: 0) }),
        ("ORDER_QTY_NOT_WHOLE", { $0.orderQty = WireDecimal(unscaled: 15, scale: 1) }),
        ("ORDER_QTY_TOO_LARGE", { $0.orderQty = WireDecimal(unscaled: 1_000_001, scale: 0) }),
        ("DECIMAL_OUT_OF_RANGE", { $0.orderQty = WireDecimal(unscaled: 1, scale: 30) }),
        ("PRICE_MISSING", { $0.price = nil }), ("PRICE_NOT_ALLOWED", { $0.ordType = .market }),
        ("PRICE_NOT_POSITIVE", { $0.price = WireDecimal(unscaled: 0, scale: 0) }),
        ("PRICE_OFF_TICK", { $0.price = WireDecimal(unscaled: 1_0001, scale: 4) }),
        ("PRICE_OUT_OF_RANGE", { $0.price = WireDecimal(unscaled: 1_000_001, scale: 0) }),
        ("INSUFFICIENT_SHARES", { $0.side = .sell }),
        ("INSUFFICIENT_BUYING_POWER", { $0.orderQty = WireDecimal(unscaled: 1_000_000, scale: 0) }),
        ("CLIENT_ORDER_ID_REUSED", { $0.clientOrderID = "resting" }),
    ]
    /// Met in other tests, or by a broker that is full, stopping or bound to its disk.
    private static let elsewhere: Set<String> = [
        "ORDER_ID_INVALID", "ORDER_ID_AMBIGUOUS", "POSITION_LIMIT_EXCEEDED", "CLIENT_ORDER_ID_UNSUPPORTED",
        "ALREADY_FILLED", "ALREADY_CANCELED", "ALREADY_EXPIRED", "CANCEL_PENDING", "BUSY", "BOOK_FULL", "STOPPING",
        "UNKNOWN_NAMESPACE", "ALREADY_REJECTED", "REPLACE_PENDING", "ORDER_SUSPENDED", "ORIG_CLIENT_ORDER_ID_OUTDATED",
        "REPLACE_NOT_ALLOWED", "REPLACE_BELOW_FILLED",
    ]

    /// Each reason that proves that nothing was done does so, and no refusal that proves it is missing.
    @Test func definitiveReasonsAreDefinitive() async throws {
        try await BrokerFixture.run(scratch, .with { $0.behavior.checksBuyingPower = true }) { fixture in
            let told = Set(try await capabilities(fixture).definitiveRejectReasons)
            _ = try await fixture.place("resting", price: "1.00")
            for (number, (reason, change)) in Self.broken.enumerated() {
                var request = try BrokerFixture.request("o\(number)", price: "100.00")
                change(&request)
                let refused = await status { try await fixture.broker.placeOrder(request) }
                #expect(refused?.reason == reason)
                #expect(refused.flatMap { WireErrorDetail($0) }?.certainty == .definitelyNotDone, "\(reason)")
                #expect(told.contains(reason), "\(reason)")
            }
            #expect(try await fixture.truth().orders.map(\.clientOrderID) == ["resting"])
            #expect(told.subtracting(Self.broken.map(\.0)).subtracting(Self.elsewhere).isEmpty)
            // What proves nothing, or the opposite.
            #expect(told.isDisjoint(with: ["UNKNOWN_ORDER", "STORE_FAILED", "DUPLICATE_CLIENT_ORDER_ID"]))
        }
    }
}
