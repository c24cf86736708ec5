import Contracts
import Domain
import EventLoop
import MockBroker
import Protobuf
import RPC
import RPCCore
import Testing

/// The same seed makes the same decisions, over however many connections the requests come.
@Suite struct DeterminismTests {
    private static let rules: [BrokerRule] = [
        .slowReplies("acks", .uniform(.zero ... .milliseconds(3)), of: [.placeOrder]),
        .fills("fills", .uniform(.zero ... .milliseconds(5)), parts: 3),
        // Committed, and told otherwise: as lost as a reply that never comes, and without the wait.
        BrokerRule(
            ruleID: "lost-acks", when: BrokerSelector(operations: [.placeOrder], attempts: 1...2),
            at: .afterCommitBeforeReply,
            action: .rpc(BrokerRpcFault(fault: .status(BrokerStatusFault(code: 14, message: "lost")))),
            probability: 0.2),
        BrokerRule(
            ruleID: "unavailable", when: BrokerSelector(operations: [.placeOrder], attempts: 1...1),
            action: .rpc(BrokerRpcFault(fault: .status(BrokerStatusFault(code: 14, message: "brown-out")))),
            probability: 0.2),
        BrokerRule(
            ruleID: "refused", when: BrokerSelector(operations: [.placeOrder]),
            action: .order(BrokerOrderFault(fault: .refuse(BrokerRefuse(reason: "NO")))), probability: 0.1),
    ]

    /// Sends each order until it has an answer, from several lanes with a connection each.
    private func place(
        _ count: Int, over connections: Int, in namespace: String, _ scratch: Scratch, _ fixture: BrokerFixture
    ) async throws {
        let group = try EventLoopGroup(name: "lanes", count: 1)
        let channels = (0..<connections).map { _ in
            RPCClientChannel(target: Endpoint(.unix(path: scratch.path("broker"))), group: group)
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (lane, channel) in channels.enumerated() {
                tasks.addTask {
                    let broker = BrokerServiceClient(channel)
                    for number in stride(from: lane, to: count, by: connections) {
                        let request = try BrokerFixture.request("order-\(number)", shares: 4)
                        while true {
                            let options = CallOptions(
                                timeout: .seconds(20), metadata: ["x-mock-namespace": namespace])
                            do {
                                _ = try await broker.placeOrder(request, options: options)
                                break
                            } catch let status as Status where status.code == .failedPrecondition {
                                break  // Refused: that is an answer.
                            } catch let status as Status where status.code == .unavailable {}
                        }
                    }
                }
            }
            try await tasks.waitForAll()
        }
        for channel in channels { await channel.shutDown() }
        group.shutDown()
    }

    private func log(of namespace: String, _ fixture: BrokerFixture) async throws -> [BrokerDecision] {
        try await fixture.control.exportDecisions(BrokerExportDecisionsRequest(namespace: namespace)) { decisions in
            var log: [BrokerDecision] = []
            for try await decision in decisions { log.append(decision) }
            return log
        }
    }

    /// What the broker has, without times.
    private func truth(of namespace: String, _ fixture: BrokerFixture) async throws -> [String] {
        let truth = try await fixture.control.getTruth(BrokerGetTruthRequest(namespace: namespace))
        let orders = truth.orders.map {
            "\($0.clientOrderID) \($0.orderID) \($0.ordStatus) \($0.cumQty?.unscaled ?? 0)"
        }
        let reports = truth.reports.compactMap(\.report).map {
            "\($0.execID) \($0.execType) \($0.lastQty?.unscaled ?? 0) \($0.cumQty?.unscaled ?? 0)"
        }
        return orders.sorted() + reports.sorted()
    }

    @Test(.timeLimit(.minutes(2))) func connectionsChangeNothingAndALogReplays() async throws {
        let scratch = try Scratch()
        try await BrokerFixture.run(scratch, .with { $0.clock = SystemBrokerClock() }) { fixture in
            var logs: [[BrokerDecision]] = []
            var truths: [[String]] = []
            func create(_ name: String, seed: Int64) async throws {
                _ = try await fixture.control.createNamespace(
                    BrokerCreateNamespaceRequest(
                        namespace: name, behavior: BrokerBehavior(seed: seed), rules: Self.rules))
            }
            func run(_ name: String, over connections: Int) async throws {
                try await place(60, over: connections, in: name, scratch, fixture)
                // Until everything has filled.
                while try await fixture.control.getTruth(BrokerGetTruthRequest(namespace: name)).orders
                    .contains(where: { $0.ordStatus != .filled })
                { try await Task.sleep(for: .milliseconds(1)) }
                logs.append(try await log(of: name, fixture))
                truths.append(try await truth(of: name, fixture))
            }
            for connections in [1, 2, 8] {
                try await create("n\(connections)", seed: 7)
                try await run("n\(connections)", over: connections)
            }
            let bytes = logs.map { $0.flatMap { $0.encoded() } }
            #expect(bytes[1] == bytes[0])
            #expect(bytes[2] == bytes[0])
            #expect(truths[1] == truths[0])
            #expect(truths[2] == truths[0])
            #expect(logs[0].contains { $0.fired && $0.ruleID == "lost-acks" })
            #expect(logs[0].contains { $0.fired && $0.ruleID == "refused" })

            // Another seed decides otherwise, unless it has the log.
            try await create("other", seed: 8)
            try await run("other", over: 2)
            #expect(logs[3] != logs[0])
            try await create("replay", seed: 8)
            let count = try await fixture.control.importDecisions { writer in
                try await writer.write(BrokerImportDecisionsRequest(namespace: "replay"))
                for start in stride(from: 0, to: logs[0].count, by: 100) {
                    try await writer.write(
                        BrokerImportDecisionsRequest(decisions: Array(logs[0][start...].prefix(100))))
                }
            }.count
            #expect(count == Int64(logs[0].count))
            try await run("replay", over: 4)
            #expect(logs[4] == logs[0])
            #expect(truths[4] == truths[0])
        }
    }
}
