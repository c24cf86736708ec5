import Contracts
import MockBrokerTesting
import Protobuf
import RPCCore
import Testing

/// The library that other people's tests use, used as they would.
@Suite struct TestBrokerTests {
    private func request(_ id: String, shares: Int64 = 1) -> BrokerPlaceOrderRequest {
        BrokerPlaceOrderRequest(
            clientOrderID: id, account: "test", symbol: "AAPL", side: .buy, ordType: .market,
            orderQty: WireDecimal(unscaled: shares, scale: 0), timeInForce: .day)
    }

    /// A small client as it should be: it sends the same id again until it has an answer.
    private func place(_ id: String, _ broker: TestBroker) async throws -> BrokerPlaceOrderResponse {
        var attempts = 0
        while true {
            attempts += 1
            do {
                return try await broker.client.placeOrder(request(id), options: CallOptions(timeout: .seconds(1)))
            } catch let status as Status where status.outcome == .unknown && attempts < 10 {}
        }
    }

    @Test(.timeLimit(.minutes(1))) func aLostReplyIsNoSecondOrder() async throws {
        try await TestBroker.run(rules: [.loseReplies(attempts: 1...1)]) { broker in
            #expect(try await place("1", broker).replayed)
            let truth = try await broker.truth()
            #expect(truth.orders.count == 1)
            #expect(truth.placeAttempts == 2)
            #expect(try await broker.decisions().map(\.fired) == [true])
        }
    }

    @Test(.timeLimit(.minutes(1))) func presetSeedRulesAndPricesAreInForce() async throws {
        try await TestBroker.run(
            preset: "overseas", seed: 9, rules: [.fills("fill", parts: 2)],
            prices: ["MSFT": WireDecimal(unscaled: 30, scale: 0)]
        ) { broker in
            try await broker.freezeClock()
            async let placed = broker.client.placeOrder(request("1", shares: 2))
            while try await broker.truth().orders.isEmpty { await Task.yield() }
            try await broker.advance(by: .seconds(60))
            #expect(try await placed.order?.clientOrderID == "1")
            let truth = try await broker.truth()
            #expect(truth.reports.compactMap { $0.report?.execType } == [.new, .trade, .trade])
            var other = request("2")
            other.symbol = "MSFT"
            async let second = broker.client.placeOrder(other)
            while try await broker.truth().orders.count < 2 { await Task.yield() }
            try await broker.advance(by: .seconds(60))
            _ = try await second
        }
        await #expect(throws: Status.self) { try await TestBroker.run(preset: "none") { _ in } }
    }

    @Test(.timeLimit(.minutes(1))) func theSameSeedDecidesTheSame() async throws {
        func decisions(_ seed: Int64) async throws -> [BrokerDecision] {
            try await TestBroker.run(
                seed: seed, rules: [.status("down", 14, "down", at: .afterCommitBeforeReply, probability: 0.5)]
            ) { broker in
                for number in 1...20 { _ = try? await place("\(number)", broker) }
                return try await broker.decisions()
            }
        }
        let first = try await decisions(1)
        #expect(try await decisions(1) == first)
        #expect(try await decisions(2) != first)
    }

    /// A client that gives up at once is found out by the swarm, with the rules that it takes.
    @Test(.timeLimit(.minutes(1))) func theSwarmFindsAClientThatGivesUp() async throws {
        struct Lost: Error {}
        let failure = await #expect(throws: SwarmFailure.self) {
            try await TestBroker.swarm(seeds: 0..<40) { broker in
                try await broker.set(
                    (try await broker.control.listRules(BrokerListRulesRequest()).rules).compactMap(\.rule).filter {
                        $0.ruleID == "unavailable" || $0.ruleID == "internal" || $0.ruleID == "fills"
                    })
                for number in 1...5 {
                    do {
                        _ = try await broker.client.placeOrder(request("\(number)"))
                    } catch {
                        throw Lost()
                    }
                }
            }
        }
        #expect(failure?.rules.count == 1)
        #expect(failure?.cause is Lost)
        #expect(failure?.description.contains("seed \(failure?.seed ?? -1) fails with [{") == true)
    }
}
