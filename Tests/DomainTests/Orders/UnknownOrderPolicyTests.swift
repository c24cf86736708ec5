import Domain
import Testing

@Suite struct UnknownOrderPolicyTests {
    let steady = UnknownOrderPolicy(jitterPercent: 0)

    func facts(
        type: OrderType.Name = .limit, attempts: Int = 1, probes: Int = 0, misses: Int = 0, sealed: Bool = false,
        cancel: Bool = false, sentBefore seconds: Int64 = 0
    ) -> UnknownOrderFacts {
        UnknownOrderFacts(
            order: try! OrderID("order-1"), type: type, timeInForce: .day, attempts: attempts,
            firstSentAt: scriptStart - .seconds(seconds), lastSentAt: scriptStart, unknownSince: scriptStart,
            probes: probes, misses: misses, isSealed: sealed, isCancelWanted: cancel)
    }

    func step(
        _ facts: UnknownOrderFacts, policy: UnknownOrderPolicy? = nil, broker: BrokerCapabilities = lookUpBroker,
        sessionEndsAt: UnixTime? = nil, halted: Bool = false, after seconds: Int64 = 0
    ) -> UnknownOrderStep {
        (policy ?? steady).next(
            facts, broker: broker, sessionEndsAt: sessionEndsAt, isHalted: halted, now: scriptStart + .seconds(seconds))
    }

    @Test(arguments: [(0, 1), (1, 3), (2, 10), (3, 30), (4, 60), (5, 120), (6, 180)])
    func probesFollowTheirOffsets(probes: Int, seconds: Int64) {
        #expect(step(facts(probes: probes)) == .probe(at: scriptStart + .seconds(seconds)))
    }

    @Test func aProbeIsNeverPlannedInThePast() {
        #expect(step(facts(probes: 1), after: 100) == .probe(at: scriptStart + .seconds(100)))
    }

    @Test(arguments: [(1, 1), (2, 3), (3, 10)])
    func resendsFollowAMissWithGrowingDelay(attempts: Int, seconds: Int64) {
        #expect(step(facts(attempts: attempts, probes: 1, misses: 1)) == .resend(at: scriptStart + .seconds(seconds)))
    }

    @Test func resendsAreBounded() {
        let probe = UnknownOrderStep.probe(at: scriptStart + .seconds(3))
        #expect(step(facts(attempts: 4, probes: 1, misses: 1)) == probe)
        #expect(step(facts(probes: 1, misses: 0)) == probe)
        #expect(step(facts(probes: 1, misses: 1, cancel: true)) == probe)
        #expect(step(facts(probes: 1, misses: 1), halted: true) == probe)
        #expect(step(facts(probes: 1, misses: 1), sessionEndsAt: scriptStart + .seconds(1)) == probe)
        #expect(step(facts(type: .market, probes: 1, misses: 1, sentBefore: 29)) == probe)
        #expect(step(facts(type: .limit, probes: 1, misses: 1, sentBefore: 299)) == probe)
        var echo = lookUpBroker
        echo.idempotencyMode = .echoOnly
        #expect(step(facts(probes: 1, misses: 1), broker: echo) == probe)
        var forgetful = lookUpBroker
        forgetful.deduplicationWindow = .seconds(10)
        #expect(step(facts(probes: 1, misses: 1, sentBefore: 7), broker: forgetful) == probe)
        #expect(
            step(facts(probes: 1, misses: 1, sentBefore: 6), broker: forgetful)
                == .resend(at: scriptStart + .seconds(1)))
    }

    @Test func withoutLookUpsTheSameIdGoesAgainOrAPersonActs() {
        var blind = lookUpBroker
        blind.looksUpByClientID = false
        #expect(step(facts(), broker: blind) == .resend(at: scriptStart + .seconds(1)))
        #expect(step(facts(attempts: 4), broker: blind) == .review)
        blind.idempotencyMode = .echoOnly
        #expect(step(facts(), broker: blind) == .review)
    }

    @Test func aPersonActsWhenTheTimeIsUp() {
        #expect(step(facts(probes: 9, sentBefore: 1800)) == .review)
    }

    @Test func oneMissNeverConcludes() {
        let end = scriptStart - .seconds(10)
        #expect(step(facts(attempts: 4, probes: 3, misses: 2), sessionEndsAt: end) != .conclude)
        #expect(step(facts(attempts: 4, probes: 3, misses: 3), sessionEndsAt: end) == .conclude)
        #expect(step(facts(attempts: 4, probes: 3, misses: 3)) != .conclude)
        #expect(step(facts(attempts: 4, probes: 3, misses: 3, sealed: true)) == .conclude)
    }

    @Test(arguments: seeds)
    func jitterIsReproducibleAndBounded(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let policy = UnknownOrderPolicy()
        var facts = facts()
        facts.order = OrderID(at: scriptStart, random: (generator.next(), generator.next()))
        var previous = scriptStart
        for probes in 0..<10 {
            facts.probes = probes
            let planned = step(facts, policy: policy)
            #expect(planned == step(facts, policy: policy))
            guard case .probe(let at) = planned, case .probe(let exact) = step(facts) else {
                Issue.record("seed \(seed): expected probes")
                return
            }
            #expect(at > previous, "seed \(seed)")
            #expect(at - exact <= .seconds(12) && exact - at <= .seconds(12), "seed \(seed)")
            previous = at
        }
    }
}
