import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// One broker for many tests: what one of them does, no other sees.
@Suite struct NamespaceTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func place(_ id: String, in namespace: String, _ fixture: BrokerFixture) async throws
        -> BrokerPlaceOrderResponse
    {
        try await fixture.broker.placeOrder(
            BrokerFixture.request(id), options: CallOptions(metadata: ["x-mock-namespace": namespace]))
    }

    @Test func eachHasItsOwnBooksRulesAndClock() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            let frozen = BrokerSetClockRequest(mode: .frozen)
            _ = try await fixture.control.createNamespace(
                BrokerCreateNamespaceRequest(
                    namespace: "a", behavior: BrokerBehavior(fillMode: .manual), rules: [.loseReplies(attempts: 2...2)])
            )
            _ = try await fixture.control.createNamespace(BrokerCreateNamespaceRequest(namespace: "b"))
            for namespace in ["a", "b", "default"] {
                #expect(try await !place("1", in: namespace, fixture).replayed)
            }
            #expect(try await !fixture.place("2").replayed)
            let truths = try await ["a", "b", ""].asyncMap {
                try await fixture.control.getTruth(BrokerGetTruthRequest(namespace: $0)).orders.map(\.clientOrderID)
            }
            #expect(truths == [["1"], ["1"], ["1", "2"]])
            // The rule is a's alone.
            let lost = await status {
                try await fixture.broker.placeOrder(
                    BrokerFixture.request("1"),
                    options: CallOptions(timeout: .seconds(1), metadata: ["x-mock-namespace": "a"]))
            }
            #expect(lost?.code == .deadlineExceeded)
            #expect(try await place("1", in: "b", fixture).replayed)

            var request = frozen
            request.namespace = "a"
            request.change = .advance(Google_Protobuf_Duration(seconds: 60))
            let clock = try await fixture.control.setClock(request)
            #expect(clock.now?.seconds == start.seconds + 60)
            #expect(clock.mode == .frozen)
            let list = try await fixture.control.listNamespaces(BrokerListNamespacesRequest()).namespaces
            #expect(list.map(\.name) == ["a", "b", "default"])
            #expect(list.map(\.orderCount) == [1, 1, 2])
            #expect(list.map(\.ruleCount) == [1, 0, 0])
            #expect(list.map { $0.clock?.now?.seconds } == [start.seconds + 60, start.seconds, start.seconds])
        }
    }

    @Test func anUnknownOneIsAnErrorEverywhere() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            let options = CallOptions(metadata: ["x-mock-namespace": "nobody"])
            let calls: [Status?] = [
                await status { try await place("1", in: "nobody", fixture) },
                await status { try await fixture.broker.getCapabilities(.init(), options: options) },
                await status { try await fixture.broker.listExecutions(.init(), options: options) },
                await status {
                    try await fixture.broker.streamExecutions(.init(), options: options) { events in
                        for try await _ in events { return }
                    }
                },
                await status { try await fixture.control.getTruth(BrokerGetTruthRequest(namespace: "nobody")) },
                await status { try await fixture.control.listRules(BrokerListRulesRequest(namespace: "nobody")) },
                await status { try await fixture.control.setBehavior(.init(behavior: .init(), namespace: "nobody")) },
                await status { try await fixture.control.resetNamespace(.init(namespace: "nobody")) },
                await status { try await fixture.control.deleteNamespace(.init(namespace: "nobody")) },
            ]
            for call in calls {
                #expect(call?.code == .notFound)
                #expect(call?.reason == "UNKNOWN_NAMESPACE")
            }
            let truth = try await fixture.truth()
            #expect(truth.placeAttempts == 0)
        }
    }

    @Test func namesAreCheckedAndTakenOnce() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            for name in ["", "a b", String(repeating: "n", count: 65), "ä"] {
                let refused = await status { try await fixture.control.createNamespace(.init(namespace: name)) }
                #expect(refused?.code == .invalidArgument)
                #expect(refused.flatMap { WireErrorDetail($0) }?.context["field"] == "namespace")
            }
            let wrongRule = await status {
                try await fixture.control.createNamespace(
                    .init(namespace: "a", rules: [.fills(), .loseReplies(probability: 2)]))
            }
            #expect(wrongRule.flatMap { WireErrorDetail($0) }?.context["field"] == "rules[1].probability")
            _ = try await fixture.control.createNamespace(.init(namespace: "a"))
            let again = await status { try await fixture.control.createNamespace(.init(namespace: "a")) }
            #expect(again?.code == .alreadyExists)
            let usual = await status { try await fixture.control.deleteNamespace(.init(namespace: "default")) }
            #expect(usual?.code == .invalidArgument)
            _ = try await fixture.control.deleteNamespace(.init(namespace: "a"))
            #expect(try await fixture.control.createNamespace(.init(namespace: "a")).orderCount == 0)
        }
    }

    @Test func aResetEmptiesAndEndsStreams() async throws {
        try await BrokerFixture.run(scratch, .with { $0.rules = [.fills(parts: 2)] }) { fixture in
            _ = try await fixture.place("1", shares: 2)
            let cursor = try #require(try await fixture.stream(3).last?.cursor)
            let ended = await status {
                try await fixture.broker.streamExecutions(BrokerStreamExecutionsRequest()) { events in
                    for try await event in events {
                        guard case .report(let report) = event.event, report.sequence == 3 else { continue }
                        _ = try await fixture.control.resetNamespace(BrokerResetNamespaceRequest())
                    }
                }
            }
            #expect(ended?.reason == "UNKNOWN_NAMESPACE")
            #expect(try await fixture.truth().orders.isEmpty)
            let stale = await status { try await fixture.stream(1, from: cursor) }
            #expect(stale?.reason == "UNKNOWN_CURSOR")
            // Prices and rules are there, and the id is new again.
            #expect(try await !fixture.place("1", shares: 2).replayed)
            #expect(try await fixture.stream(3).count == 3)
            _ = try await fixture.control.resetNamespace(BrokerResetNamespaceRequest(dropRules: true))
            #expect(try await fixture.control.listRules(.init()).rules.isEmpty)
        }
    }

    @Test func theyOutliveARestart() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            _ = try await fixture.control.createNamespace(.init(namespace: "a", rules: [.loseReplies(attempts: 2...2)]))
            _ = try await fixture.control.createNamespace(.init(namespace: "gone"))
            _ = try await place("1", in: "a", fixture)
            _ = try await fixture.control.deleteNamespace(.init(namespace: "gone"))
        }
        try await BrokerFixture.run(scratch) { fixture in
            let list = try await fixture.control.listNamespaces(.init()).namespaces
            #expect(list.map(\.name) == ["a", "default"])
            // The second attempt, although the process is another.
            let lost = await status {
                try await fixture.broker.placeOrder(
                    BrokerFixture.request("1"),
                    options: CallOptions(timeout: .seconds(1), metadata: ["x-mock-namespace": "a"]))
            }
            #expect(lost?.code == .deadlineExceeded)
            let rules = try await fixture.control.listRules(.init(namespace: "a")).rules
            #expect(rules.map(\.matched) == [1])
            #expect(rules.map(\.fired) == [1])
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Output>(_ transform: (Element) async throws -> Output) async rethrows -> [Output] {
        var output: [Output] = []
        for element in self { output.append(try await transform(element)) }
        return output
    }
}
