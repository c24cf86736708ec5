import Contracts
import EventLoop
import Foundation
import Protobuf
import RPC
import RPCCore
import RPCTool
import TestSupport
import Testing

@testable import meridian

/// `mock-broker` as a process of its own, and `broker` and `bench broker` as programs against it.
@Suite(.serialized) struct BrokerProgramTests {
    /// A broker on loopback with clients, and a shell beside it.
    private struct Running {
        let child: MockBrokerChild
        let broker: BrokerServiceClient
        let folder: TemporaryDirectory

        func place(_ id: String) async throws {
            _ = try await broker.placeOrder(
                BrokerPlaceOrderRequest(
                    clientOrderID: id, account: "alice", symbol: "AAPL", side: .buy, ordType: .market,
                    orderQty: WireDecimal(unscaled: 1), timeInForce: .day),
                options: CallOptions(timeout: .seconds(20)))
        }

        func file(_ name: String, _ text: String) throws -> String {
            try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/\(name)"))
            return "\(folder.path)/\(name)"
        }

        /// Runs `meridian broker`.
        func control(_ words: String...) async throws -> TestSupport.Program.Result {
            let at = "http://\(child.addresses.control)"
            return try await BrokerProgramTests.meridian(["broker"] + words, ["MERIDIAN_BROKER_CONTROL": at])
        }
    }

    private static func meridian(
        _ arguments: [String], _ environment: [String: String] = [:]
    ) async throws -> TestSupport.Program.Result {
        let program = try TestSupport.Program.built("meridian")
        return try await BlockingPool.shared.run {
            Result { try TestSupport.Program.run(program, arguments, environment: environment) }
        }.get()
    }

    private func run(_ arguments: [String] = [], _ body: (Running) async throws -> Void) async throws {
        let program = try TestSupport.Program.built("meridian")
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let child = try await BlockingPool.shared.run {
            Result { try MockBrokerChild(arguments, program: program) }
        }.get()
        let group = try EventLoopGroup(name: "broker-program", count: 1)
        let target = try #require(Endpoint(child.addresses.broker))
        let channel = RPCClientChannel(target: target, group: group)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await body(Running(child: child, broker: BrokerServiceClient(channel), folder: folder)))
        } catch {
            outcome = .failure(error)
        }
        await channel.shutDown()
        group.shutDown()
        _ = try await BlockingPool.shared.run { child.stop() }
        try outcome.get()
    }

    // MARK: The broker alone

    @Test(.timeLimit(.minutes(1))) func itNeedsNothingElseAndLeavesNothing() async throws {
        let program = try TestSupport.Program.built("meridian")
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        // No environment, and nothing in its folder for temporary files, neither while it runs nor afterwards.
        let start = ContinuousClock.now
        let child = try await BlockingPool.shared.run {
            Result { try MockBrokerChild(program: program, environment: ["TMPDIR": folder.path]) }
        }.get()
        let group = try EventLoopGroup(name: "alone", count: 1)
        let channel = RPCClientChannel(target: try #require(Endpoint(child.addresses.broker)), group: group)
        let capabilities = try await BrokerServiceClient(channel).getCapabilities(
            BrokerGetCapabilitiesRequest(), options: CallOptions(timeout: .seconds(10), waitsForReady: true))
        // A release build takes a tenth; this is a debug build on a machine with other work.
        #expect(start.duration(to: .now) < .seconds(10))
        #expect(capabilities.brokerID == "mock")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        await channel.shutDown()
        group.shutDown()
        #expect(try await BlockingPool.shared.run { child.stop() } == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test(.timeLimit(.minutes(1))) func reflectionAndHealthAreServed() async throws {
        try await run { running async throws in
            for (address, service) in [
                (running.child.addresses.broker, "BrokerService"),
                (running.child.addresses.control, "BrokerControlService"),
            ] {
                let listed = try await Self.meridian(["list", "http://\(address)"])
                #expect(listed.text.contains("meridian.broker.v1.\(service)\n"), "\(listed.errors)")
                let health = try await Self.meridian(
                    ["call", "http://\(address)", "grpc.health.v1.Health/Check", "--compact"])
                #expect(health.text == "{\"status\":\"SERVING\"}\n", "\(health.errors)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func connectionsAreBroken() async throws {
        try await run { running async throws in
            try await running.place("order-1")
            let result = try await Self.meridian(
                [
                    "call", "http://\(running.child.addresses.control)", "mock-broker.BreakConnections", "-d",
                    #"{"fault":{"resetConnection":{}}}"#, "--compact",
                ])
            #expect(result.text == "{\"count\":1}\n", "\(result.errors)")
            // Its client connects again.
            try await running.place("order-2")
        }
    }

    @Test(.timeLimit(.minutes(1))) func aNamedJournalOutlivesTheProcess() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let arguments = ["--journal", "\(folder.path)/journal", "--namespace", "a", "--price", "MSFT=28.80"]
        try await run(arguments) { running async throws in
            try await running.place("order-1")
            _ = try await running.control("rules", "put", running.file("rule", Self.lostAck), "-n", "a")
        }
        try await run(arguments) { running async throws in
            let truth = try await running.control("truth", "--json")
            #expect(try BrokerTruth(json: truth.text).orders.map(\.clientOrderID) == ["order-1"])
            // A namespace that is there stays as it is.
            let rules = try await running.control("rules", "list", "-n", "a", "--json")
            #expect(try BrokerListRulesResponse(json: rules.text).rules.compactMap(\.rule?.ruleID) == ["lost"])
            let second = try await Self.meridian(
                ["mock-broker", "--port", "0", "--control-port", "0"] + arguments)
            #expect(second.status == 1 && second.errors.contains("another process uses this journal"))
        }
    }

    @Test(arguments: [
        (["--host", "0.0.0.0"], "not loopback"), (["--price", "AAPL"], "is not SYMBOL=PRICE"),
        (["--rules", "/nowhere"], "/nowhere cannot be read"), (["--preset", "nope"], "UNKNOWN_PRESET"),
        (["--namespace", "a b"], "SETTING_INVALID"), (["--loops", "0"], "--loops"),
    ]) func whatMakesNoSenseIsRefusedAtTheStart(arguments: [String], words: String) async throws {
        let result = try await Self.meridian(["mock-broker", "--port", "0", "--control-port", "0"] + arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    // MARK: The control commands

    private static let lostAck = """
        {"ruleId":"lost","when":{"operations":["OPERATION_PLACE_ORDER"],"toAttempt":1},
         "at":"INJECTION_POINT_AFTER_COMMIT_BEFORE_REPLY","rpc":{"status":{"code":14,"message":"lost"}}}
        """

    @Test(.timeLimit(.minutes(1))) func rulesAreDriven() async throws {
        try await run { running async throws in
            var result = try await running.control("rules", "put", running.file("rule", Self.lostAck))
            #expect(result.status == 0 && result.text == "lost is in force.\n", "\(result.errors)")
            await #expect(throws: Status.self) { try await running.place("order-1") }
            try await running.place("order-1")
            result = try await running.control("rules", "list")
            let row = result.text.split(separator: "\n").last?.split(separator: " ").map(String.init) ?? []
            #expect(row.prefix(7) == ["lost", "0", "after-commit-before-reply", "rpc", "1", "1", "1"], "\(row)")
            result = try await running.control("decisions", "export", "\(running.folder.path)/log")
            #expect(result.status == 0, "\(result.errors)")
            result = try await running.control("decisions", "import", "\(running.folder.path)/log")
            #expect(result.text == "1 decisions are in force.\n", "\(result.errors)")
            result = try await running.control("rules", "set", running.file("rules", "[]"))
            #expect(result.text == "No rules.\n", "\(result.errors)")
            result = try await running.control("rules", "delete", "lost")
            #expect(result.status == 69 && result.errors.contains("UNKNOWN_RULE"))
            // What is wrong is named by its path, in the file and at the broker.
            result = try await running.control("rules", "set", running.file("bad", #"[{"ruleId":1}]"#))
            #expect(result.status == 64 && result.errors.contains("rules[0].ruleId"), "\(result.errors)")
            let two = Self.lostAck.replacing("\"lost\",\"when\"", with: "\"lost\",\"probability\":2,\"when\"")
            result = try await running.control("rules", "set", running.file("two", "[\(two)]"))
            #expect(result.status == 67 && result.errors.contains("field = rules[0].probability"), "\(result.errors)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func marketAndClockAreDriven() async throws {
        try await run { running async throws in
            var result = try await running.control(
                "behavior", "set", running.file("behavior", #"{"fillMode":"FILL_MODE_MANUAL"}"#))
            #expect(try BrokerBehavior(json: result.text).fillMode == .manual)
            result = try await running.control("behavior", "show")
            #expect(try BrokerBehavior(json: result.text).fillMode == .manual)
            try await running.place("order-1")
            result = try await running.control("price", "set", "AAPL", "219.50")
            #expect(result.text == "AAPL is at 219.50; it touched 0 orders.\n", "\(result.errors)")
            result = try await running.control("fill", "order-1", "--account", "alice", "--json")
            let fill = try BrokerFillOrderResponse(json: result.text).report?.report
            #expect(fill?.lastPx == WireDecimal(unscaled: 219_5000, scale: 4))
            result = try await running.control("clock", "freeze", "--json")
            let frozen = try #require(try BrokerClockState(json: result.text).now)
            result = try await running.control("clock", "advance", "90s", "--json")
            #expect(try BrokerClockState(json: result.text).now?.seconds == frozen.seconds + 90)
            result = try await running.control("clock", "set", "2100-01-01T00:00:00Z")
            #expect(result.text == "2100-01-01T00:00:00Z frozen\n", "\(result.errors)")
            result = try await running.control("clock", "run")
            #expect(result.text.contains(" running"))
            result = try await running.control("namespace", "create", "b", "--preset", "flaky", "--seed", "3")
            #expect(result.text.split(separator: "\n").last?.hasPrefix("b          3") == true, "\(result.text)")
            result = try await running.control("namespace", "reset", "b", "--drop-rules", "--json")
            #expect(try BrokerNamespace(json: result.text).ruleCount == 0)
            result = try await running.control("namespace", "delete", "b")
            #expect(result.text == "b is gone.\n")
            result = try await running.control("preset", "calm", "-n", "b")
            #expect(result.status == 69 && result.errors.contains("UNKNOWN_NAMESPACE"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func proofHasExitCodes() async throws {
        try await run { running async throws in
            try await running.place("order-1")
            try await running.place("order-2")
            var result = try await running.control(
                "verify", "--operation", "place-order", "--kind", "request", "--exactly", "2")
            #expect(
                result.status == 0 && result.text.hasPrefix("holds: 2 entries match, as expected\n"), "\(result.errors)"
            )
            result = try await running.control(
                "verify", "--order", "order-1", "--committed", "--at-least", "2", "--json")
            #expect(result.status == 1)
            #expect(try BrokerVerifyResponse(json: result.text).found == 1)
            let matchers = #"[{"clientOrderId":"order-1","code":0},{"clientOrderId":"order-2"}]"#
            result = try await running.control("verify", "--in-order", running.file("matchers", matchers))
            #expect(result.status == 0 && result.text.hasPrefix("holds: all 2 were found"), "\(result.errors)")
            result = try await running.control("verify", "--kind", "request", "--code", "0", "--exactly", "0")
            #expect(result.status == 67 && result.errors.contains("field = count.matcher.code"), "\(result.errors)")
            result = try await running.control("journal", "--kind", "reply", "--order", "order-2", "--json")
            guard case .reply(let reply) = try BrokerJournalEntry(json: result.text).entry else {
                Issue.record("\(result.text)\(result.errors)")
                return
            }
            #expect(reply.committed)
            result = try await running.control("diff", running.file("view", "{}"))
            #expect(result.status == 1 && result.text.contains("order-missing-at-client"), "\(result.errors)")
            let nobody = try running.file("nobody", #"{"account":"nobody"}"#)
            result = try await running.control("diff", nobody)
            #expect(result.status == 0 && result.text == "No difference.\n", "\(result.errors)")
            result = try await Self.meridian(["broker", "truth", "--at", "http://127.0.0.1:1"])
            #expect(result.status == 2, "\(result.errors)")
            result = try await running.control("crash")
            #expect(result.status == 0 && result.text == "The broker is gone.\n", "\(result.errors)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func theBenchCountsWhatIsInTheJournal() async throws {
        let result = try await Self.meridian(["bench", "broker", "--rate", "50", "--seconds", "1", "--json"])
        #expect(result.status == 0, "\(result.errors)")
        let report = try JSONDecoder().decode(BrokerReport.self, from: result.output)
        #expect(report.figures.statuses == ["OK": 50])
        #expect(report.cost?.journalOrders == 100)
        #expect(report.cost.map { $0.commitsPerSecond > 0 } == true)
    }
}
