import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// What look-ups and lists do not show, while the truth has it.
@Suite struct VisibilityTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static func hide(
        _ fault: BrokerVisibilityFault.Fault, of operations: [BrokerOperation] = []
    ) -> BrokerRule {
        BrokerRule(
            ruleID: "hide", when: BrokerSelector(operations: operations),
            action: .visibility(BrokerVisibilityFault(fault: fault)))
    }

    private static func seconds(_ count: Int64) -> Google_Protobuf_Duration { Google_Protobuf_Duration(seconds: count) }

    private func find(_ id: String, _ fixture: BrokerFixture) async -> String? {
        let refused = await status {
            try await fixture.broker.getOrder(BrokerGetOrderRequest(account: "alice", id: .clientOrderID(id)))
        }
        return refused?.reason
    }

    private func list(
        _ fixture: BrokerFixture, onlyOpen: Bool = false, size: Int32 = 0
    ) async throws -> BrokerListOrdersResponse {
        try await fixture.broker.listOrders(
            BrokerListOrdersRequest(account: "alice", onlyOpen: onlyOpen, pageSize: size))
    }

    private func massStatus(_ fixture: BrokerFixture) async throws -> [BrokerMassStatusReport] {
        try await fixture.broker.massStatus(
            BrokerMassStatusRequest(massStatusReqID: "m", account: "alice")
        ) { reports in
            var all: [BrokerMassStatusReport] = []
            for try await report in reports { all.append(report) }
            return all
        }
    }

    @Test func ordersAreHiddenForAWhile() async throws {
        let rule = Self.hide(.hidden(.fixed(.seconds(5))))
        try await BrokerFixture.run(scratch, .with { $0.rules = [rule] }) { fixture in
            _ = try await fixture.place("1", price: "1.00")
            #expect(await find("1", fixture) == "UNKNOWN_ORDER")
            #expect(try await list(fixture).total == 0)
            #expect(try await massStatus(fixture).map(\.totNumReports) == [0])
            #expect(try await fixture.truth().orders.count == 1)
            // Known to the broker all the same.
            #expect(try await fixture.place("1", price: "1.00").replayed)
            fixture.clock.advance(milliseconds: 4999)
            #expect(await find("1", fixture) == "UNKNOWN_ORDER")
            fixture.clock.advance(milliseconds: 1)
            #expect(await find("1", fixture) == nil)
            #expect(try await list(fixture).orders.count == 1)
            #expect(try await massStatus(fixture).map(\.totNumReports) == [1])
        }
    }

    @Test func ordersAreHiddenUntilTheRuleIsGone() async throws {
        let rule = Self.hide(.hidden(BrokerLatency(distribution: .frozen(BrokerFrozen()))), of: [.getOrder])
        try await BrokerFixture.run(scratch, .with { $0.rules = [rule] }) { fixture in
            _ = try await fixture.place("1")
            fixture.clock.advance(milliseconds: 86_400_000)
            #expect(await find("1", fixture) == "UNKNOWN_ORDER")
            #expect(try await list(fixture).orders.count == 1)
            try await fixture.setRules([])
            #expect(await find("1", fixture) == nil)
        }
    }

    @Test func closedOrdersAreForgotten() async throws {
        let rule = Self.hide(.forgetClosed(Self.seconds(60)))
        try await BrokerFixture.run(scratch, .with { $0.rules = [rule] }) { fixture in
            _ = try await fixture.place("filled")
            _ = try await fixture.place("resting", price: "1.00")
            _ = try await fixture.stream(3)
            fixture.clock.advance(milliseconds: 59_999)
            #expect(await find("filled", fixture) == nil)
            #expect(try await list(fixture).total == 2)
            fixture.clock.advance(milliseconds: 1)
            #expect(await find("filled", fixture) == "UNKNOWN_ORDER")
            #expect(await find("resting", fixture) == nil)
            #expect(try await list(fixture).orders.map(\.clientOrderID) == ["resting"])
            #expect(try await fixture.place("filled").replayed)
        }
    }

    @Test func listsShowThePast() async throws {
        let rule = Self.hide(.stale(Self.seconds(10)))
        try await BrokerFixture.run(scratch, .with { $0.rules = [rule, .fills("f", .fixed(.seconds(5)))] }) { fixture in
            _ = try await fixture.place("1", shares: 2)
            #expect(try await list(fixture).orders.isEmpty)
            fixture.clock.advance(milliseconds: 10_000)
            // Filled five seconds ago, which the lists will show in five seconds.
            _ = try await fixture.stream(2)
            #expect(try await fixture.truth().orders[0].ordStatus == .filled)
            let past = try #require(try await list(fixture, onlyOpen: true).orders.first)
            #expect(past.ordStatus == .new)
            #expect(past.cumQty?.unscaled == 0)
            #expect(try await massStatus(fixture).first?.order == past)
            var pulled = try await fixture.broker.listExecutions(BrokerListExecutionsRequest())
            #expect(pulled.reports.map(\.sequence) == [1])
            #expect(pulled.complete)
            func shares() async throws -> Int {
                try await fixture.broker.listPositions(BrokerListPositionsRequest(account: "alice")).positions.count
            }
            func cash() async throws -> Int64? {
                try await fixture.broker.getAccount(BrokerGetAccountRequest(account: "alice")).cash?.minor
            }
            #expect(try await shares() == 0)
            #expect(try await cash() == 100_000_000)
            #expect(await find("1", fixture) == nil)
            fixture.clock.advance(milliseconds: 5000)
            #expect(try await list(fixture).orders.first?.ordStatus == .filled)
            #expect(try await list(fixture, onlyOpen: true).orders.isEmpty)
            #expect(try await shares() == 1)
            #expect(try await cash() == 100_000_000 - 44_604 - 31)
            pulled = try await fixture.broker.listExecutions(BrokerListExecutionsRequest(cursor: pulled.nextCursor))
            #expect(pulled.reports.map(\.sequence) == [2])
        }
    }

    @Test(arguments: [BrokerWrongPage.truncated, .repeated, .reordered])
    func pagesAreWrong(kind: BrokerWrongPage) async throws {
        try await BrokerFixture.run(scratch, .with { $0.rules = [Self.hide(.wrongPage(kind))] }) { fixture in
            for number in 1...4 { _ = try await fixture.place("\(number)", price: "1.00") }
            let expected: [String] =
                switch kind {
                case .truncated: ["1", "2"]
                case .repeated: ["1", "1", "2", "3", "4"]
                default: ["4", "3", "2", "1"]
                }
            let all = try await list(fixture)
            #expect(all.orders.map(\.clientOrderID) == expected)
            #expect(all.total == 4)
            #expect(all.nextPageToken.isEmpty)
            let first = try await list(fixture, size: 2)
            // A page that lacks its half says that it is the last one.
            #expect(first.nextPageToken.isEmpty == (kind == .truncated))
            let reports = try await massStatus(fixture)
            #expect(reports.compactMap { $0.order?.clientOrderID } == expected)
            #expect(reports.allSatisfy { $0.totNumReports == 4 })
            let pulled = try await fixture.broker.listExecutions(BrokerListExecutionsRequest())
            #expect(pulled.reports.compactMap { $0.report?.clientOrderID } == expected)
            #expect(pulled.complete)
            // What is missing does not come again.
            let rest = try await fixture.broker.listExecutions(BrokerListExecutionsRequest(cursor: pulled.nextCursor))
            #expect(rest.reports.isEmpty)
        }
    }

    @Test func sharesAreOnWrongPagesToo() async throws {
        let setup = BrokerFixture.Setup.with {
            $0.prices = ["A", "B", "C"].reduce(into: [:]) { $0[InstrumentID(rawValue: $1)!] = applePrice }
            $0.rules = [Self.hide(.wrongPage(.reordered), of: [.listPositions])]
        }
        try await BrokerFixture.run(scratch, setup) { fixture in
            for symbol in ["B", "A", "C"] {
                _ = try await fixture.broker.placeOrder(BrokerFixture.request("o-\(symbol)", symbol: symbol))
            }
            _ = try await fixture.stream(6)
            let list = try await fixture.broker.listPositions(BrokerListPositionsRequest(account: "alice"))
            #expect(list.positions.map(\.symbol) == ["C", "B", "A"])
        }
    }
}
