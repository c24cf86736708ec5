import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// Each fault of a request at each of its places: what the caller sees, and what the broker did.
@Suite struct RequestFaultTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static let places: [(BrokerInjectionPoint, commits: Bool)] = [
        (.beforeRead, false), (.afterReadBeforeCommit, false), (.afterCommitBeforeReply, true),
    ]

    private func rule(
        _ fault: BrokerRpcFault.Fault, at point: BrokerInjectionPoint = .unspecified,
        _ selector: BrokerSelector = BrokerSelector(operations: [.placeOrder], toAttempt: 1)
    ) -> BrokerRule {
        BrokerRule(ruleID: "fault", when: selector, at: point, action: .rpc(BrokerRpcFault(fault: fault)))
    }

    @Test(arguments: places.indices)
    func aStatusInsteadOfTheAnswer(index: Int) async throws {
        let (point, commits) = Self.places[index]
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([rule(.status(BrokerStatusFault(code: 14, message: "brown-out")), at: point)])
            let failed = try #require(await status { try await fixture.place("1") })
            #expect(failed.code == .unavailable)
            #expect(failed.message == "brown-out")
            #expect(failed.outcome == .unknown)
            #expect(failed.metadata["x-mock-decision"] == "fault@\(String(describing: point).screaming)")
            #expect(try await fixture.truth().orders.count == (commits ? 1 : 0))
            #expect(try await fixture.place("1").replayed == commits)
        }
    }

    @Test func aStatusMayHaveDetailsAndPushBack() async throws {
        let detail = WireErrorDetail(
            reason: "RATE_LIMITED", certainty: .definitelyNotDone, retry: .sameIDAfter, context: ["limit": "3"])
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([
                rule(
                    .status(
                        BrokerStatusFault(
                            code: 8, message: "slow down", detail: detail,
                            retryAfter: Google_Protobuf_Duration(seconds: 2))))
            ])
            let failed = try #require(await status { try await fixture.place("1") })
            #expect(failed.code == .resourceExhausted)
            #expect(WireErrorDetail(failed) == detail)
            #expect(failed.outcome == .definitelyNotDone)
            #expect(failed.metadata["grpc-retry-pushback-ms"] == "2000")
            let rich = try GoogleRPCStatus(decoding: failed.details)
            let info = try #require(rich.details.first { $0.holds(GoogleRPCRetryInfo.self) })
            #expect(try info.unpacked(as: GoogleRPCRetryInfo.self)?.retryDelay?.seconds == 2)
        }
    }

    @Test(arguments: places.indices)
    func noAnswer(index: Int) async throws {
        let (point, commits) = Self.places[index]
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([rule(.noAnswer(BrokerNoAnswer()), at: point)])
            let request = try BrokerFixture.request("1")
            let failed = await status {
                try await fixture.broker.placeOrder(request, options: CallOptions(timeout: .seconds(1)))
            }
            #expect(failed?.code == .deadlineExceeded)
            #expect(failed?.outcome == .unknown)
            #expect(try await fixture.place("1").replayed == commits)
            let truth = try await fixture.truth()
            #expect(truth.placeAttempts == 2)
            #expect(truth.lostReplies == 1)
        }
    }

    /// What is wrong with a request is told before a fault that strikes good ones.
    @Test func aBadRequestIsRefusedBeforeTheCommitFault() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([
                rule(.status(BrokerStatusFault(code: 14)), at: .afterReadBeforeCommit, BrokerSelector())
            ])
            let refused = await status {
                try await fixture.broker.placeOrder(BrokerFixture.request("1", symbol: "NONE"))
            }
            #expect(refused?.reason == "UNKNOWN_SYMBOL")
            #expect(await status { try await fixture.place("1") }?.code == .unavailable)
        }
    }

    @Test(arguments: places.indices)
    func latency(index: Int) async throws {
        let (point, commits) = Self.places[index]
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([
                BrokerRule(
                    ruleID: "late", when: BrokerSelector(operations: [.placeOrder]), at: point,
                    action: .latency(.fixed(.milliseconds(700))))
            ])
            async let placed = fixture.place("1")
            await fixture.clock.waitForSleeper(milliseconds: 700)
            #expect(try await fixture.truth().orders.count == (commits ? 1 : 0))
            fixture.clock.advance(milliseconds: 700)
            #expect(try await !placed.replayed)
        }
    }

    @Test func aFrozenAnswerWaitsForItsRule() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([.slowReplies("frozen", BrokerLatency(distribution: .frozen(BrokerFrozen())))])
            async let placed = fixture.place("1")
            while try await fixture.truth().orders.isEmpty { await Task.yield() }
            try await fixture.setRules([])
            #expect(try await !placed.replayed)
        }
    }

    /// Delays are on the namespace's clock: a test that moves it does not wait.
    @Test func aFrozenClockIsMovedByHand() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([.slowReplies("late", .fixed(.seconds(3600)))])
            _ = try await fixture.control.setClock(BrokerSetClockRequest(mode: .frozen))
            async let placed = fixture.place("1")
            while try await fixture.truth().orders.isEmpty { await Task.yield() }
            var moved = BrokerSetClockRequest(change: .advance(Google_Protobuf_Duration(seconds: 3600)))
            let clock = try await fixture.control.setClock(moved)
            #expect(clock.now?.seconds == start.seconds + 3600)
            #expect(try await !placed.replayed)
            // The machine's clock does not move it, and it never goes back.
            fixture.clock.advance(milliseconds: 5000)
            #expect(try await fixture.control.setClock(BrokerSetClockRequest()).now == clock.now)
            moved.change = .set(Google_Protobuf_Timestamp(start))
            #expect(await status { try await fixture.control.setClock(moved) }?.code == .invalidArgument)
        }
    }

    @Test func refusals() async throws {
        let refuse = BrokerOrderFault.Fault.refuse(BrokerRefuse(reason: "INSUFFICIENT_BUYING_POWER", text: "no money"))
        try await BrokerFixture.run(scratch) { fixture async throws in
            _ = try await fixture.place("resting", price: "1.00")
            try await fixture.setRules([BrokerRule(ruleID: "no", action: .order(BrokerOrderFault(fault: refuse)))])
            let refused = await status { try await fixture.place("1") }
            #expect(refused?.code == .failedPrecondition)
            #expect(refused?.reason == "INSUFFICIENT_BUYING_POWER")
            #expect(refused?.outcome == .definitelyNotDone)
            let kept = await status {
                try await fixture.broker.cancelOrder(
                    BrokerCancelOrderRequest(clientOrderID: "c", origClientOrderID: "resting", account: "alice"))
            }
            #expect(kept?.reason == "INSUFFICIENT_BUYING_POWER")
            let orders = try await fixture.truth().orders
            #expect(orders.map(\.clientOrderID) == ["resting"])
            #expect(orders[0].ordStatus == .new)
        }
    }

    @Test func lookUpsAndListsHaveFaultsToo() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            _ = try await fixture.place("1")
            try await fixture.setRules([
                rule(.status(BrokerStatusFault(code: 14)), BrokerSelector(operations: [.getOrder], toAttempt: 2))
            ])
            let look = BrokerGetOrderRequest(account: "alice", id: .clientOrderID("1"))
            for _ in 1...2 { #expect(await status { try await fixture.broker.getOrder(look) }?.code == .unavailable) }
            #expect(try await fixture.broker.getOrder(look).clientOrderID == "1")
            try await fixture.setRules([
                rule(
                    .status(BrokerStatusFault(code: 16)),
                    BrokerSelector(operations: [.listExecutions, .streamExecutions, .getCapabilities]))
            ])
            let list = await status { try await fixture.broker.listExecutions(.init()) }
            let stream = await status { try await fixture.stream(1) }
            let record = await status { try await fixture.broker.getCapabilities(.init()) }
            for failed in [list, stream, record] { #expect(failed?.code == .unauthenticated) }
        }
    }

    @Test func decisionsAreToldUnlessHidden() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setBehavior(BrokerBehavior(hideDecisions: true))
            try await fixture.setRules([rule(.status(BrokerStatusFault(code: 14)))])
            let failed = await status { try await fixture.place("1") }
            #expect(failed?.code == .unavailable)
            #expect(failed?.metadata["x-mock-decision"] == nil)
        }
    }

    @Test func rulesAreListedWithWhatTheyDid() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([
                .loseReplies("a", probability: 0), rule(.status(BrokerStatusFault(code: 14))),
            ])
            for _ in 1...2 { _ = await status { try await fixture.place("1") } }
            var rules = try await fixture.control.listRules(.init()).rules
            #expect(rules.map { $0.rule?.ruleID } == ["a", "fault"])
            #expect(rules.map(\.matched) == [2, 1])
            #expect(rules.map(\.fired) == [0, 1])
            #expect(rules[1].lastFired == Google_Protobuf_Timestamp(start))
            #expect(rules[0].lastFired == nil)
            _ = try await fixture.control.deleteRule(BrokerDeleteRuleRequest(ruleID: "fault"))
            let gone = await status { try await fixture.control.deleteRule(BrokerDeleteRuleRequest(ruleID: "fault")) }
            #expect(gone?.reason == "UNKNOWN_RULE")
            var same = BrokerRule.loseReplies("a", probability: 0)
            _ = try await fixture.control.putRule(BrokerPutRuleRequest(rule: same))
            rules = try await fixture.control.listRules(.init()).rules
            #expect(rules.map(\.matched) == [0])
            same.probability = 2
            let wrong = await status { try await fixture.control.putRule(BrokerPutRuleRequest(rule: same)) }
            #expect(wrong?.code == .invalidArgument)
            #expect(wrong.flatMap { WireErrorDetail($0) }?.context["field"] == "rule.probability")
            let second = await status {
                try await fixture.setRules([.fills("x"), .fills("y", parts: -1)])
            }
            #expect(second.flatMap { WireErrorDetail($0) }?.context["field"] == "rules[1].fills.split.parts")
            #expect(try await fixture.control.listRules(.init()).rules.count == 1)
        }
    }
}

extension String {
    /// `afterCommit` as `AFTER_COMMIT`.
    fileprivate var screaming: String {
        reduce(into: "") { text, letter in text += (letter.isUppercase ? "_" : "") + letter.uppercased() }
    }
}
