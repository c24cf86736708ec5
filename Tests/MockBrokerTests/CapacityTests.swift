import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// What is too much, as clients see it, on the namespace's clock.
@Suite(.timeLimit(.minutes(1))) struct CapacityTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static func rule(
        _ fault: BrokerCapacityFault.Fault, of operations: [BrokerOperation] = [.placeOrder]
    ) -> BrokerRule {
        BrokerRule(
            ruleID: "capacity", when: BrokerSelector(operations: operations),
            action: .capacity(BrokerCapacityFault(fault: fault)))
    }

    /// The delay of the RetryInfo that came with a refusal.
    private func retryDelay(_ status: Status?) throws -> Duration? {
        let rich = try GoogleRPCStatus(decoding: try #require(status).details)
        let packed = rich.details.first { $0.typeURL.hasSuffix("google.rpc.RetryInfo") }
        return try packed.map { try GoogleRPCRetryInfo(decoding: $0.value).retryDelay?.duration ?? .zero }
    }

    @Test func aBucketRefusesWhatIsAboveItsRate() async throws {
        let rule = Self.rule(.tokenBucket(BrokerTokenBucket(perSecond: 0.5, burst: 2)))
        try await BrokerFixture.run(scratch, .with { $0.rules = [rule] }) { fixture in
            try await fixture.setClock("2026-11-20T15:00:00Z")
            _ = try await fixture.place("1", price: "1.00")
            _ = try await fixture.place("2", price: "1.00")
            let refused = await status { try await fixture.place("3", price: "1.00") }
            #expect(refused?.code == .resourceExhausted)
            #expect(refused?.reason == "CAPACITY_EXCEEDED")
            #expect(refused.flatMap { WireErrorDetail($0) }?.certainty == .definitelyNotDone)
            #expect(try retryDelay(refused) == .seconds(2))
            #expect(refused?.metadata["grpc-retry-pushback-ms"] == "2000")
            // Other calls are not counted.
            _ = try await fixture.broker.getCapabilities(BrokerGetCapabilitiesRequest())
            try await fixture.setClock("2026-11-20T15:00:01.999Z")
            #expect(await status { try await fixture.place("3", price: "1.00") }?.code == .resourceExhausted)
            try await fixture.setClock("2026-11-20T15:00:02Z")
            _ = try await fixture.place("3", price: "1.00")
            #expect(await status { try await fixture.place("4", price: "1.00") }?.code == .resourceExhausted)
            // However long it waits, it holds no more than its burst.
            try await fixture.setClock("2026-11-21T15:00:00Z")
            for id in ["4", "5"] { _ = try await fixture.place(id, price: "1.00") }
            #expect(await status { try await fixture.place("6", price: "1.00") }?.code == .resourceExhausted)
            #expect(try await fixture.truth().orders.count == 5)
            // A rule that says something else begins anew.
            try await fixture.setRules([Self.rule(.tokenBucket(BrokerTokenBucket(perSecond: 0.5, burst: 1)))])
            _ = try await fixture.place("6", price: "1.00")
        }
    }

    /// One at a time, one in the queue, and the third is refused at once.
    @Test func aQueueHasAnEnd() async throws {
        let rules = [
            Self.rule(.concurrency(BrokerConcurrency(limit: 1, queue: 1))),
            BrokerRule.slowReplies("slow", .fixed(.seconds(10)), of: [.placeOrder]),
        ]
        try await BrokerFixture.run(scratch, .with { $0.rules = rules }) { fixture in
            try await withThrowingTaskGroup(of: Status?.self) { group in
                group.addTask { await status { try await fixture.place("1", price: "1.00") } }
                await fixture.clock.waitForSleeper(milliseconds: 10_000)
                for id in ["2", "3"] {
                    group.addTask { await status { try await fixture.place(id, price: "1.00") } }
                }
                // One of the two waits for its turn.
                let first = try #require(try await group.next())
                #expect(first?.reason == "CAPACITY_EXCEEDED")
                #expect(try retryDelay(first) != nil)
                fixture.clock.advance(milliseconds: 10_000)
                #expect(try await group.next() == .some(nil))
                await fixture.clock.waitForSleeper(milliseconds: 10_000)
                fixture.clock.advance(milliseconds: 10_000)
                #expect(try await group.next() == .some(nil))
            }
            #expect(try await fixture.truth().orders.count == 2)
        }
    }

    /// Nobody waits in a queue for ever: a deadline ends it, and without one the broker's own limit.
    @Test func waitingHasALimit() async throws {
        let rules = [
            Self.rule(.concurrency(BrokerConcurrency(limit: 1, queue: 5))),
            BrokerRule.slowReplies("slow", .fixed(.seconds(10)), of: [.placeOrder]),
        ]
        let setup = BrokerFixture.Setup.with {
            $0.rules = rules
            $0.noAnswerLimit = .milliseconds(30)
        }
        try await BrokerFixture.run(scratch, setup) { fixture in
            async let first = fixture.place("1", price: "1.00")
            await fixture.clock.waitForSleeper(milliseconds: 10_000)
            let impatient = await status {
                try await fixture.broker.placeOrder(
                    BrokerFixture.request("2", price: "1.00"), options: CallOptions(timeout: .milliseconds(5)))
            }
            #expect([.deadlineExceeded, .resourceExhausted].contains(impatient?.code))
            #expect(await status { try await fixture.place("3", price: "1.00") }?.reason == "CAPACITY_EXCEEDED")
            fixture.clock.advance(milliseconds: 10_000)
            _ = try await first
            #expect(try await fixture.truth().orders.map(\.clientOrderID) == ["1"])
        }
    }

    @Test func aBrownOutSlowsWhatIsBeyondTheFreeOnes() async throws {
        let rule = Self.rule(
            .brownOut(BrokerBrownOut(perRequest: Google_Protobuf_Duration(seconds: 1), free: 1)),
            of: [.placeOrder, .getCapabilities])
        let slow = BrokerRule.slowReplies("slow", .fixed(.seconds(30)), of: [.placeOrder])
        try await BrokerFixture.run(scratch, .with { $0.rules = [rule, slow] }) { fixture in
            try await withThrowingTaskGroup(of: Void.self) { group in
                // The first costs nothing, and is under way for long.
                group.addTask { _ = try await fixture.place("1", price: "1.00") }
                await fixture.clock.waitForSleeper(milliseconds: 30_000)
                for extra in 1...3 as ClosedRange<Int64> {
                    group.addTask { _ = try await fixture.broker.getCapabilities(BrokerGetCapabilitiesRequest()) }
                    await fixture.clock.waitForSleeper(milliseconds: extra * 1000)
                }
                fixture.clock.advance(milliseconds: 3000)
                for _ in 1...3 { _ = try await group.next() }
                // They are gone, and the next one is the only one beyond again.
                group.addTask { _ = try await fixture.broker.getCapabilities(BrokerGetCapabilitiesRequest()) }
                await fixture.clock.waitForSleeper(milliseconds: 1000)
                fixture.clock.advance(milliseconds: 27_000)
                try await group.waitForAll()
            }
        }
    }

    /// A queue is served in order, also when some of it give up.
    @Test func theQueueIsServedInOrder() async throws {
        let gates = CapacityGates()
        let key = CapacityGates.Key(space: .initial, rule: "r", fault: .concurrency(limit: 1, queue: 3))
        let patience = ContinuousClock.now + .seconds(60)
        #expect(try await gates.enter(key, at: start, patience: patience) == .pass)
        await withTaskGroup(of: (Int, CapacityGates.Verdict?).self) { group in
            for number in 1...3 {
                group.addTask {
                    (number, try? await gates.enter(key, at: start, patience: number == 2 ? .now : patience))
                }
                if number == 2 {
                    let gaveUp = await group.next()
                    #expect(gaveUp?.0 == 2)
                    #expect(gaveUp?.1 == .refuse(retryAfter: .milliseconds(100)))
                } else {
                    while gates.waiting(at: key) < (number + 1) / 2 { await Task.yield() }
                }
            }
            for expected in [1, 3] {
                gates.leave(key)
                let next = await group.next()
                #expect(next?.0 == expected)
                #expect(next?.1 == .pass)
            }
            gates.leave(key)
            #expect((try? await gates.enter(key, at: start, patience: .now)) == .pass)
        }
    }
}
