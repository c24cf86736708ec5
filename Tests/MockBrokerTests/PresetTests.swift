import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

@Suite struct PresetTests {
    @Test(.timeLimit(.minutes(1)), arguments: Preset.all.map(\.name))
    func everyPresetLoadsAndTakesOrders(name: String) async throws {
        let scratch = try Scratch()
        try await BrokerFixture.run(scratch, .with { $0.noAnswerLimit = .zero }) { fixture async throws in
            let loaded = try await fixture.control.loadPreset(BrokerLoadPresetRequest(preset: name, seed: 7))
            let preset = try #require(Preset.named(name)?.seeded(7))
            #expect(Set(loaded.rules.compactMap { $0.rule?.ruleID }) == Set(preset.rules.map(\.ruleID)))
            #expect(try await fixture.control.getBehavior(BrokerGetBehaviorRequest()).seed == 7)
            // A namespace may begin with it, too, and with rules of its own instead of some.
            let made = try await fixture.control.createNamespace(
                BrokerCreateNamespaceRequest(namespace: "n", preset: name, seed: 8, rules: [.fills("own")]))
            #expect(made.behavior?.seed == 8)
            // Whatever it does, an order ends: once for each id.
            _ = try await fixture.control.setClock(BrokerSetClockRequest(mode: .frozen))
            for number in 1...5 {
                // Time passes until it has ended, however many delays it meets.
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    group.addTask {
                        _ = await status { try await fixture.place("\(number)") }
                        return true
                    }
                    group.addTask {
                        while !Task.isCancelled {
                            _ = try await fixture.control.setClock(
                                BrokerSetClockRequest(change: .advance(.init(.seconds(30)))))
                        }
                        return false
                    }
                    while try await group.next() == false {}
                    group.cancelAll()
                }
            }
            let orders = try await fixture.truth().orders
            #expect(Set(orders.map(\.clientOrderID)).count == orders.count)
        }
    }

    @Test func anUnknownPresetListsAll() async throws {
        try await BrokerFixture.run(Scratch()) { fixture async throws in
            let unknown = await status { try await fixture.control.loadPreset(BrokerLoadPresetRequest(preset: "none")) }
            #expect(unknown?.code == .notFound)
            for preset in Preset.all { #expect(unknown?.message.contains(preset.name) == true) }
            let both = await status {
                try await fixture.control.createNamespace(
                    BrokerCreateNamespaceRequest(namespace: "n", behavior: BrokerBehavior(), preset: "calm"))
            }
            #expect(both.flatMap { WireErrorDetail($0) }?.context["field"] == "behavior")
        }
    }

    /// Half of the overseas answers take 120 ms, one in a hundred takes 2 s.
    @Test func overseasIsAsFarAsItSays() throws {
        var book = RuleBook()
        for rule in try Rule.list(#require(Preset.named("overseas")).rules) { book.put(rule) }
        let delays = (1...4000).compactMap { number in
            book.ask(
                Occasion(event: .request(.placeOrder), subject: "order:a/\(number)", attempt: 1, now: start), seed: 1
            ).first { $0.rule == "ack" }?.values.first
        }.sorted()
        #expect(delays.count == 4000)
        #expect((110_000...130_000).contains(delays[2000]))
        #expect((20...60).contains(delays.count { $0 > 2_000_000 }))
    }
}

@Suite struct SwarmTests {
    @Test func aSeedIsARuleSetAndEveryRuleIsGood() throws {
        var seen: Set<String> = []
        for seed in Int64(0)..<300 {
            let rules = Swarm.rules(seed: seed)
            #expect(rules == Swarm.rules(seed: seed))
            #expect((1...6).contains(try Rule.list(rules).count), "seed \(seed)")
            seen.formUnion(rules.map(\.ruleID))
        }
        #expect(seen.count == 16)
    }

    /// Of many rules those stay that are needed to fail, whatever their places.
    @Test(arguments: 0..<20)
    func shrinksToWhatIsNeeded(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let rules = (0..<20).map { BrokerRule.fills("r\($0)") }
        let needed = Set(
            (0..<Int.random(in: 1...4, using: &random)).map { _ in "r\(Int.random(in: 0..<20, using: &random))" })
        var runs = 0
        let smallest = await Swarm.shrink(rules) { part in
            runs += 1
            return needed.isSubset(of: part.map(\.ruleID))
        }
        #expect(Set(smallest.map(\.ruleID)) == needed)
        #expect(runs <= 200)
    }

    /// The real thing: a client that does not deduplicate breaks under a drawn rule set, and one rule is left to blame.
    @Test func findsTheRuleThatBreaksANaiveClient() async throws {
        /// Whether the naive client, which adds up every fill that it sees, ends with the wrong number of shares.
        func fails(_ rules: [BrokerRule]) async throws -> Bool {
            let deliveries = rules.filter { $0.ruleID == "duplicate" || $0.ruleID == "drop" || $0.ruleID == "batch" }
            let scratch = try Scratch()
            var isWrong = false
            try await BrokerFixture.run(scratch, .with { $0.rules = deliveries }) { fixture async throws in
                for number in 1...10 { _ = try await fixture.place("\(number)") }
                _ = try await fixture.control.setClock(BrokerSetClockRequest(mode: .frozen))
                let seen = try await fixture.broker.streamExecutions(BrokerStreamExecutionsRequest()) { events in
                    var shares = 0
                    for try await event in events {
                        switch event.event {
                        case .report(let report): shares += report.report?.execType == .trade ? 1 : 0
                        case .heartbeat(let heartbeat):
                            if heartbeat.lastSequence == 20 { return shares }
                        case nil: break
                        }
                        _ = try await fixture.control.setClock(
                            BrokerSetClockRequest(change: .advance(.init(.seconds(2)))))
                    }
                    return shares
                }
                isWrong = seen != 10
            }
            return isWrong
        }
        let seed = try #require(
            (0..<Int64(100)).first { seed in
                Swarm.rules(seed: seed).contains { $0.ruleID == "duplicate" && $0.probability == 0.7 }
                    && Swarm.rules(seed: seed).count >= 4
            })
        let rules = Swarm.rules(seed: seed)
        #expect(try await fails(rules))
        let smallest = try await Swarm.shrink(rules, fails: fails)
        #expect(smallest.count == 1)
        #expect(["duplicate", "drop"].contains(smallest[0].ruleID))
    }
}
