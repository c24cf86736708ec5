import Contracts
import Domain
import MockBroker
import Protobuf
import Testing

/// The market's hours by the calendar of New York, as clients see them, on a clock that stands.
@Suite struct SessionTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private struct Case: Sendable {
        let placed: String
        let opens: String
        let closes: String
    }

    private static let core: [Case] = [
        // Friday evening: the weekend passes.
        Case(placed: "2026-11-20T22:00:00Z", opens: "2026-11-23T14:30:00Z", closes: "2026-11-23T21:00:00Z"),
        // Early in the morning of the day.
        Case(placed: "2026-11-24T09:30:00Z", opens: "2026-11-24T14:30:00Z", closes: "2026-11-24T21:00:00Z"),
        // Thanksgiving, and the half day after it.
        Case(placed: "2026-11-26T15:00:00Z", opens: "2026-11-27T14:30:00Z", closes: "2026-11-27T18:00:00Z"),
        // At the very close of the half day.
        Case(placed: "2026-11-27T18:00:00Z", opens: "2026-11-30T14:30:00Z", closes: "2026-11-30T21:00:00Z"),
        // Clocks go forward on Sunday 14 March, and back on 7 November.
        Case(placed: "2027-03-12T21:00:00Z", opens: "2027-03-15T13:30:00Z", closes: "2027-03-15T20:00:00Z"),
        Case(placed: "2027-11-05T20:00:00Z", opens: "2027-11-08T14:30:00Z", closes: "2027-11-08T21:00:00Z"),
    ]

    private static let extended: [Case] = [
        Case(placed: "2026-11-21T01:00:00Z", opens: "2026-11-23T09:00:00Z", closes: "2026-11-24T01:00:00Z"),
        Case(placed: "2026-11-27T08:59:59Z", opens: "2026-11-27T09:00:00Z", closes: "2026-11-27T22:00:00Z"),
        Case(placed: "2027-03-13T01:00:00Z", opens: "2027-03-15T08:00:00Z", closes: "2027-03-16T00:00:00Z"),
    ]

    private func just(before time: String) -> String {
        guard let time = UnixTime(time) else { preconditionFailure("\(time) is no time") }
        return "\(time + .nanoseconds(-1))"
    }

    @Test(arguments: [BrokerSessionMode.core, .extended])
    func ordersWaitForTheOpening(mode: BrokerSessionMode) async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.setBehavior(BrokerBehavior(sessionMode: mode))
            for (number, item) in (mode == .core ? Self.core : Self.extended).enumerated() {
                try await fixture.setClock(item.placed)
                func place(_ id: String, _ price: String?, _ timeInForce: WireTimeInForce) async throws {
                    let placed = try await fixture.broker.placeOrder(
                        BrokerFixture.request("\(id)-\(number)", price: price, timeInForce: timeInForce))
                    #expect(placed.order?.ordStatus == .new)
                }
                func order(_ id: String) async throws -> Contracts.BrokerOrder {
                    try await fixture.broker.getOrder(
                        BrokerGetOrderRequest(account: "alice", id: .clientOrderID("\(id)-\(number)")))
                }
                /// When the order's last report says that it happened.
                func lastReport(_ id: String) async throws -> BrokerExecutionReport? {
                    try await fixture.truth().reports.compactMap(\.report).last {
                        $0.clientOrderID == "\(id)-\(number)"
                    }
                }
                try await place("market", nil, .day)
                try await place("touched", "230.00", .gtc)
                try await place("resting", "1.00", .day)
                try await place("standing", "1.00", .gtc)
                try await place("ioc", nil, .ioc)
                try await place("fok", "230.00", .fok)
                #expect(try await order("ioc").ordStatus == .canceled)
                #expect(try await order("fok").ordStatus == .canceled)
                try await fixture.setClock(just(before: item.opens))
                #expect(try await order("market").ordStatus == .new, "\(item)")
                #expect(try await order("touched").ordStatus == .new)
                try await fixture.setClock(item.opens)
                for id in ["market", "touched"] {
                    #expect(try await order(id).ordStatus == .filled, "\(id) \(item)")
                    let time = try await lastReport(id)?.transactTime.flatMap { UnixTime($0) }
                    #expect(time == UnixTime(item.opens))
                }
                try await place("inside", nil, .ioc)
                #expect(try await order("inside").ordStatus == .filled)
                try await fixture.setClock(just(before: item.closes))
                #expect(try await order("resting").ordStatus == .new)
                try await fixture.setClock(item.closes)
                #expect(try await order("resting").ordStatus == .expired)
                #expect(try await lastReport("resting")?.transactTime.flatMap { UnixTime($0) } == UnixTime(item.closes))
                #expect(try await order("standing").ordStatus == .new)
                _ = try await fixture.broker.cancelOrder(
                    BrokerCancelOrderRequest(
                        clientOrderID: "c-\(number)", origClientOrderID: "standing-\(number)", account: "alice"))
            }
        }
    }

    /// A price that touches an order at night fills it in the morning, if it still does.
    @Test func theNightOnlyMovesPrices() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.setBehavior(BrokerBehavior(sessionMode: .core))
            func move(_ dollars: Int64) async throws -> Int32 {
                try await fixture.control.setPrice(
                    BrokerSetPriceRequest(symbol: "AAPL", price: WireDecimal(unscaled: dollars, scale: 0))
                ).touchedOrders
            }
            try await fixture.setClock("2026-11-23T15:00:00Z")
            for (id, price) in [("high", "200.00"), ("low", "150.00"), ("lowest", "100.00")] {
                _ = try await fixture.broker.placeOrder(
                    BrokerFixture.request(id, price: price, timeInForce: .gtc))
            }
            try await fixture.setClock("2026-11-23T22:00:00Z")
            #expect(try await move(90) == 3)
            #expect(try await move(149) == 2)
            func filled() async throws -> [String] {
                try await fixture.truth().orders.filter { $0.ordStatus == .filled }.map(\.clientOrderID)
            }
            #expect(try await filled().isEmpty)
            try await fixture.setClock("2026-11-24T14:30:00Z")
            #expect(try await filled() == ["high", "low"])
            #expect(try await move(100) == 1)
            try await fixture.setClock("2026-11-24T14:30:01Z")
            #expect(try await filled() == ["high", "low", "lowest"])
        }
    }

    /// Fills that are still to come when the market closes come at the next opening.
    @Test func noPartFillsWhileTheMarketIsClosed() async throws {
        let setup = BrokerFixture.Setup.with {
            $0.behavior.sessionMode = .core
            $0.rules = [.fills("slow", .fixed(.seconds(3600)))]
        }
        try await BrokerFixture.run(scratch, setup) { fixture in
            try await fixture.setClock("2026-11-23T20:30:00Z")
            _ = try await fixture.broker.placeOrder(BrokerFixture.request("1", timeInForce: .gtc))
            try await fixture.setClock("2026-11-24T14:29:59Z")
            #expect(try await fixture.truth().orders[0].ordStatus == .new)
            try await fixture.setClock("2026-11-24T14:30:00Z")
            #expect(try await fixture.truth().orders[0].ordStatus == .filled)
        }
    }
}
