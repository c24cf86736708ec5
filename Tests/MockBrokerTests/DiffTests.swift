import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// A client's view against the truth, and decisions before anything happens.
@Suite struct DiffTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Everything as the broker has it.
    private func view(_ fixture: BrokerFixture) async throws -> BrokerDiffRequest {
        var truth = try await fixture.truth()
        while truth.orders.contains(where: { $0.ordStatus != .filled }) { truth = try await fixture.truth() }
        return BrokerDiffRequest(
            orders: truth.orders, executions: truth.reports.compactMap(\.report).filter { $0.execType == .trade },
            positions: truth.positions)
    }

    @Test(.timeLimit(.minutes(1))) func everyDifferenceIsNamed() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            for number in 1...3 { _ = try await fixture.place("order-\(number)", shares: 2) }
            let right = try await view(fixture)
            #expect(try await fixture.control.diff(right).differences == [])
            let fill = right.executions[0].execID

            func differences(_ change: (inout BrokerDiffRequest) -> Void) async throws -> [BrokerDifference] {
                var view = right
                change(&view)
                return try await fixture.control.diff(view).differences
            }
            #expect(
                try await differences { $0.orders.remove(at: 1) } == [
                    BrokerDifference(
                        kind: .orderMissingAtClient, subject: "order-2", broker: right.orders[1].orderID)
                ])
            #expect(
                try await differences { $0.orders.append(.init(clientOrderID: "ghost", account: "alice")) } == [
                    BrokerDifference(kind: .orderMissingAtBroker, subject: "ghost")
                ])
            #expect(
                try await differences {
                    $0.orders[0].ordStatus = .partiallyFilled
                    $0.orders[0].cumQty = WireDecimal(unscaled: 15, scale: 1)
                } == [
                    BrokerDifference(
                        kind: .orderDiffers, subject: "order-1", field: "ord_status", broker: "ORD_STATUS_FILLED",
                        client: "ORD_STATUS_PARTIALLY_FILLED"),
                    BrokerDifference(
                        kind: .orderDiffers, subject: "order-1", field: "cum_qty", broker: "2", client: "1.5"),
                ])
            #expect(
                try await differences { $0.executions.remove(at: 0) } == [
                    BrokerDifference(kind: .executionMissingAtClient, subject: fill)
                ])
            #expect(
                try await differences { $0.executions.append(.init(execID: "made-up")) } == [
                    BrokerDifference(kind: .executionMissingAtBroker, subject: "made-up")
                ])
            #expect(
                try await differences { $0.executions.append($0.executions[0]) } == [
                    BrokerDifference(kind: .executionDoubled, subject: fill, broker: "1", client: "2")
                ])
            #expect(
                try await differences {
                    $0.executions[0].lastQty = WireDecimal(unscaled: 1, scale: 0)
                    $0.executions[0].lastPx = WireDecimal(unscaled: 1, scale: 2)
                } == [
                    BrokerDifference(
                        kind: .executionDiffers, subject: fill, field: "last_qty", broker: "2", client: "1"),
                    BrokerDifference(
                        kind: .executionDiffers, subject: fill, field: "last_px", broker: "223.02", client: "0.01"),
                ])
            #expect(
                try await differences { $0.positions = [] } == [
                    BrokerDifference(
                        kind: .positionDiffers, subject: "alice/AAPL", field: "qty", broker: "6", client: "0")
                ])
            // The same numbers in other words are the same.
            #expect(
                try await differences {
                    $0.executions[0].lastPx = WireDecimal(unscaled: 22302, scale: 2)
                    $0.orders[0].cumQty = WireDecimal(unscaled: 2, scale: 0)
                } == [])
            // Another account's view is another question.
            #expect(try await fixture.control.diff(BrokerDiffRequest(account: "bob")).differences == [])
        }
    }

    /// Where ids are not checked a client that believes in one order lacks the other.
    @Test(.timeLimit(.minutes(1))) func aSecondOrderUnderOneIDIsMissing() async throws {
        try await BrokerFixture.run(scratch, .with { $0.behavior.idempotencyMode = .echoOnly }) {
            fixture async throws in
            let first = try #require(try await fixture.place("order-1").order)
            let second = try #require(try await fixture.place("order-1").order)
            var view = try await view(fixture)
            view.orders.removeAll { $0.orderID == first.orderID }
            #expect(
                try await fixture.control.diff(view).differences == [
                    BrokerDifference(kind: .orderMissingAtClient, subject: "order-1", broker: first.orderID)
                ])
            #expect(first.orderID != second.orderID)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aViewThatCannotBeReadIsRefused() async throws {
        let wrong: [(String, BrokerDiffRequest)] = [
            ("account", BrokerDiffRequest(account: "a b")),
            ("orders[0].account", BrokerDiffRequest(orders: [.init(clientOrderID: "order-1")])),
            (
                "orders[0].account",
                BrokerDiffRequest(account: "alice", orders: [.init(clientOrderID: "order-1", account: "bob")])
            ),
            ("orders[0].client_order_id", BrokerDiffRequest(account: "alice", orders: [.init()])),
            ("executions[0].exec_id", BrokerDiffRequest(executions: [.init()])),
            ("positions[0].symbol", BrokerDiffRequest(account: "alice", positions: [.init()])),
        ]
        try await BrokerFixture.run(scratch) { fixture async throws in
            for (path, view) in wrong {
                let refused = await status { try await fixture.control.diff(view) }
                #expect(refused?.code == .invalidArgument)
                #expect(refused.flatMap { WireErrorDetail($0) }?.context["field"] == path)
            }
        }
    }

    // MARK: DryRun

    @Test(.timeLimit(.minutes(1))) func aDryRunDecidesAsTheRealOneWill() async throws {
        let rules: [BrokerRule] = [
            .slowReplies("acks", .uniform(.zero ... .milliseconds(2)), of: [.placeOrder]),
            BrokerRule(
                ruleID: "apple", when: BrokerSelector(operations: [.placeOrder], symbol: "AAPL"),
                action: .fills(
                    BrokerFillScript(shape: .split(BrokerSplit(parts: 2)), latency: .uniform(.zero ... .seconds(1)))),
                probability: 0.5),
            BrokerRule(
                ruleID: "refused", when: BrokerSelector(operations: [.placeOrder], fromAttempt: 2),
                action: .order(BrokerOrderFault(fault: .refuse(BrokerRefuse(reason: "NO")))), probability: 0.5),
        ]
        try await BrokerFixture.run(scratch, .with { $0.clock = SystemBrokerClock() }) { fixture async throws in
            try await fixture.setRules(rules)
            func log() async throws -> [BrokerDecision] {
                try await fixture.control.exportDecisions(BrokerExportDecisionsRequest()) { decisions in
                    var log: [BrokerDecision] = []
                    for try await decision in decisions { log.append(decision) }
                    return log
                }
            }
            var expected: [BrokerDecision] = []
            for number in 1...12 {
                for _ in 1...2 {
                    let order = try BrokerFixture.request("order-\(number)", shares: 2)
                    let dry = BrokerDryRunRequest(
                        operation: .placeOrder, account: order.account, clientOrderID: order.clientOrderID, order: order
                    )
                    let told = try await fixture.control.dryRun(dry).decisions
                    // Asked twice it says the same: nothing was counted.
                    #expect(try await fixture.control.dryRun(dry).decisions == told)
                    #expect(try await log().count == expected.count)
                    expected += told
                    _ = await status { try await fixture.broker.placeOrder(order) }
                }
            }
            let key = { (decision: BrokerDecision) in (decision.ruleID, decision.subject, decision.attempt) }
            #expect(try await log() == expected.sorted { key($0) < key($1) })
            #expect(Set(expected.filter(\.fired).map(\.ruleID)) == ["acks", "apple", "refused"])
            #expect(expected.contains { !$0.fired })
            // A later attempt, and an order whose terms are not told.
            let later = try await fixture.control.dryRun(
                BrokerDryRunRequest(
                    operation: .placeOrder, account: "alice", clientOrderID: "order-1", attempt: 9))
            #expect(later.decisions.map(\.ruleID).contains("refused"))
            #expect(!later.decisions.map(\.ruleID).contains("apple"))
            #expect(later.decisions.allSatisfy { $0.attempt == 9 })
            let refused = await status { try await fixture.control.dryRun(BrokerDryRunRequest()) }
            #expect(refused.flatMap { WireErrorDetail($0) }?.context["field"] == "operation")
        }
    }
}
