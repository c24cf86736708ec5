import Contracts
import Domain
import Postgres
import RPCCore
import ServiceKit
import TestSupport
import Testing

@testable import FXSaga

/// Drivers that vanish, stall, meet each other, or give up.
@Suite struct RecoveryTests {
    /// What goes wrong apart from the kill, so that each kind of call is one that the driver dies at.
    enum Scenario: String, Sendable, CaseIterable {
        case quiet, withdrawalLost, withdrawalReplyLost, depositRefused, depositLost, depositReplyLost

        func arm(_ stack: Stack) {
            switch self {
            case .quiet: break
            case .withdrawalLost: stack.krw.fail(.withdraw, .loseRequest)
            case .withdrawalReplyLost: stack.krw.fail(.withdraw, .loseReply)
            case .depositRefused: stack.usd.fail(.deposit, .refuse("ACCOUNT_CLOSED"))
            case .depositLost: stack.usd.fail(.deposit, .loseRequest)
            case .depositReplyLost: stack.usd.fail(.deposit, .loseReply)
            }
        }
    }

    struct Kill: Sendable, CustomTestStringConvertible {
        let scenario: Scenario
        let call: Int
        let moment: Gate.Moment
        var testDescription: String { "\(scenario.rawValue), call \(call), \(moment.rawValue)" }
    }

    static let kills = Scenario.allCases.flatMap { scenario in
        (1...(scenario == .quiet ? 2 : 3)).flatMap { call in
            Gate.Moment.allCases.map { Kill(scenario: scenario, call: call, moment: $0) }
        }
    }

    /// The driver dies at each boundary between a state and a call, and another instance finishes the exchange.
    @Test(arguments: kills)
    func killedAndRecovered(_ kill: Kill) async throws {
        try await Stack.with { stack in
            kill.scenario.arm(stack)
            let gate = Gate(call: kill.call, kill.moment)
            let first = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await first.run() }
                group.addTask { try await stack.consumeCancels() }
                group.addTask { await gate.waitUntilReached() }
                group.addTask { _ = try await stack.client(first).createExchange(Stack.request("x1")) }
                // Either the driver stands at the gate, or the exchange took fewer calls and has gone as far as it goes.
                try await group.next()
                group.cancelAll()
                while let result = await group.nextResult() { _ = result }
            }
            let exchange = try await stack.running { client in try await stack.recovered("x1", client) }
            #expect([.completed, .failed, .cancelled].contains(exchange.state), "\(stack.book.text)")
            stack.krw.deliverLate()
            stack.usd.deliverLate()
            try await stack.expectBooksInOrder()
        }
    }

    /// A process that comes back under its name does not wait for its own leases.
    @Test func restartedAndGoneOn() async throws {
        try await Stack.with { configuration in
            configuration.instance = "fx-1"
            configuration.lease = .seconds(3_600)
            configuration.longestWait = .seconds(30)
        } _: { stack in
            let gate = Gate(call: 2, .afterReply)
            let first = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await first.run() }
                group.addTask { _ = try await stack.client(first).createExchange(Stack.request("x1")) }
                await gate.waitUntilReached()
                group.cancelAll()
                while let result = await group.nextResult() { _ = result }
            }
            let exchange = try await stack.running { client in try await stack.ended("x1", client) }
            #expect(exchange.state == .completed)
            try await stack.expectBooksInOrder()
        }
    }

    /// The store fails a driver whose process lives on: the exchange goes on although its lease would last an hour.
    @Test func stoppedByTheStoreAndGoneOn() async throws {
        try await Stack.with { configuration in
            configuration.storeTimeout = .milliseconds(500)
            configuration.lease = .seconds(3_600)
            configuration.longestWait = .seconds(30)
        } _: { stack in
            let gate = Gate(call: 1, .afterReply)
            let service = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            try await stack.running(service) { client in
                async let answer = stack.ended("x1", client)
                await gate.waitUntilReached()
                // Nothing can be written while somebody else has the row.
                try await stack.postgres.withTransaction { transaction in
                    try await transaction.execute(sql: "SELECT 1 FROM exchange_lease FOR UPDATE")
                    gate.open()
                    try await stack.untilLogged("drive.stopped")
                }
                let exchange = try await answer
                #expect(exchange.state == .completed, "\(stack.book.text)")
                // Taken over by the same process: nothing of the first driver can come in between.
                #expect(exchange.log.first?.epoch == 1 && (exchange.log.last?.epoch ?? 0) > 1, "\(exchange.log)")
            }
            try await stack.expectBooksInOrder()
        }
    }

    @Test func killedBeforeTheFirstStep() async throws {
        try await Stack.with { configuration in
            configuration.longestWait = .milliseconds(201)
        } _: { stack in
            let exchange = try await stack.client(stack.service()).createExchange(Stack.request("x1"))
            #expect(exchange.state == .requested)
            let ended = try await stack.running(stack.service { $0.longestWait = .seconds(30) }) { client in
                try await stack.recovered("x1", client)
            }
            #expect(ended.state == .completed)
            #expect(ended.log.first?.epoch == 1 && ended.log.dropFirst().allSatisfy { $0.epoch > 1 })
            try await stack.expectBooksInOrder()
        }
    }

    /// A driver stalls longer than its lease, another one finishes, and then the first goes on.
    @Test(arguments: [1, 2], Gate.Moment.allCases)
    func stalledAndFenced(_ call: Int, _ moment: Gate.Moment) async throws {
        try await Stack.with { stack in
            let gate = Gate(call: call, moment)
            let first = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            try await stack.running(first) { client in
                async let answer = client.createExchange(Stack.request("x1"))
                await gate.waitUntilReached()
                try await stack.expireLeases()
                let second = stack.service()
                let ended = try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await second.run() }
                    defer { group.cancelAll() }
                    return try await stack.ended("x1", stack.client(second))
                }
                #expect(ended.state == .completed)
                gate.open()
                _ = try await answer
                // The first driver was stopped by the epoch before it could write a line.
                let after = try await client.getExchange(FXGetExchangeRequest(exchangeID: "x1"))
                #expect(after.log == ended.log)
            }
            try await stack.expectBooksInOrder()
        }
    }

    /// A withdrawal leaves a stalled driver after its key was sealed by another.
    @Test func aWithdrawalAfterTheSealIsRefused() async throws {
        try await Stack.with { stack in
            let gate = Gate(call: 1, .beforeSend)
            let first = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            try await stack.running(first) { client in
                async let answer = client.createExchange(Stack.request("x1"))
                await gate.waitUntilReached()
                try await stack.expireLeases()
                stack.krw.fail(.withdraw, .loseRequest)
                let failed = try await stack.running { try await stack.ended("x1", $0) }
                #expect(failed.state == .failed && failed.reason == "SEALED")
                gate.open()
                _ = try await answer
            }
            #expect(stack.krw.entries.isEmpty)
            try await stack.expectBooksInOrder()
        }
    }

    @Test func parksAndGoesOnWhenAPersonSaysSo() async throws {
        try await Stack.with { configuration in
            configuration.rules.recheck.maximumChecks = 2
        } _: { stack in
            stack.krw.fail(.withdraw, .loseReply)
            stack.krw.fail(.resolve, .loseRequest, .loseRequest, .loseRequest)
            try await stack.running { client in
                let parked = try await stack.ended("x1", client)
                #expect(parked.state == .parked)
                #expect(try await stack.count("SELECT count(*) FROM exchange_alert WHERE kind = 'PARKED'") == 1)
                #expect(try await stack.count("SELECT count(*) FROM exchange_due") == 0)

                let known = FXRedriveExchangeRequest(exchangeID: "x1", operatorName: "lee", reason: "ledger is back")
                for wrong in [
                    FXRedriveExchangeRequest(exchangeID: "x1", reason: "no name"),
                    FXRedriveExchangeRequest(exchangeID: "x1", operatorName: "lee"),
                ] {
                    #expect(await Stack.refusal { try await client.redriveExchange(wrong) } == "FIELD_MALFORMED")
                }
                let ended = try await client.redriveExchange(known)
                #expect(ended.state == .completed)
                #expect(ended.log.contains { $0.detail == "re-driven by lee: ledger is back" })
                #expect(await Stack.refusal { try await client.redriveExchange(known) } == "EXCHANGE_NOT_PARKED")
            }
            #expect(
                try await stack.count("SELECT count(*) FROM exchange_redrive WHERE operator = 'lee'") == 1)
            try await stack.expectBooksInOrder()
        }
    }

    /// An answer that breaks the participant's promises is raised, not believed.
    @Test func aWithdrawalReversedByOthersIsRaised() async throws {
        try await Stack.with { configuration in
            configuration.rules.recheck.maximumChecks = 1
        } _: { stack in
            stack.krw.fail(.withdraw, .loseReply)
            let gate = Gate(call: 2, .beforeSend)
            let service = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            try await stack.running(service) { client in
                async let answer = stack.ended("x1", client)
                await gate.waitUntilReached()
                // An operator gives the withdrawal back behind our back, before its result is found.
                #expect(stack.krw.cancel("x1/withdraw") == "REVERSED")
                gate.open()
                let state = try await answer.state
                #expect(state == .parked)
            }
            #expect(try await stack.count("SELECT count(*) FROM exchange_alert WHERE kind = 'CONTRADICTION'") > 0)
            #expect(stack.usd.entries.isEmpty)
        }
    }

    @Test func overdueExchangesAreRaisedOnce() async throws {
        try await Stack.with { configuration in
            configuration.alertAge = .microseconds(1)
            configuration.longestWait = .milliseconds(201)
        } _: { stack in
            let service = stack.service()
            _ = try await stack.client(service).createExchange(Stack.request("x1"))
            try await service.watch()
            try await service.watch()
            #expect(try await stack.count("SELECT count(*) FROM exchange_alert WHERE kind = 'OVERDUE'") == 1)
            let text = stack.environment.metrics.exposition()
            #expect(text.contains("meridian_fx_exchanges_overdue 1"))
            #expect(text.contains("meridian_fx_exchanges_open 1"))
        }
    }

    /// The database crashes under exchanges that are being driven; what was acknowledged is there afterwards.
    @Test func theDatabaseCrashes() async throws {
        let server = try await PrivatePostgres.start()
        try await Stack.with(on: server) { stack in
            let gate = Gate(call: 9, .afterReply)
            let service = stack.service(wrap: { GatedChannel(base: $0, gate: gate) })
            try await stack.running(service) { client in
                let ids = (0..<10).map { "x\($0)" }
                // Half of them stand at different places when the server dies.
                async let answers = withTaskGroup(of: (String, FXExchange?).self) { group in
                    for id in ids { group.addTask { (id, try? await client.createExchange(Stack.request(id))) } }
                    return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                await gate.waitUntilReached()
                try await server.stop(.crash)
                gate.open()
                try await server.restart()
                let acknowledged = await answers
                for id in ids {
                    let exchange = try await stack.recovered(id, client)
                    #expect(exchange.state == .completed, "\(stack.book.text)")
                    let before = acknowledged[id]?.log ?? []
                    #expect(Array(exchange.log.prefix(before.count)) == before)
                }
            }
            try await stack.expectBooksInOrder()
        }
        try await server.stop()
    }

    /// Three instances, participants that fail at random, and leases that run out under their owners.
    @Test(arguments: SeededGenerator.seeds(2))
    func everythingAtOnce(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        try await Stack.with { stack in
            let faults: [FakeLedger.Fault] = [
                .loseRequest, .loseReply, .delayRequest, .refuse("RULE"), .status(.internal),
            ]
            for ledger in [stack.krw, stack.usd] {
                for _ in 0..<40 {
                    guard let operation = FakeLedger.Operation.allCases.randomElement(using: &generator),
                        let fault = faults.randomElement(using: &generator)
                    else { continue }
                    ledger.fail(operation, fault)
                }
            }
            let services = (0..<3).map { _ in stack.service() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services { group.addTask { try await service.run() } }
                group.addTask { try await stack.consumeCancels() }
                group.addTask {
                    while !Task.isCancelled {
                        try await stack.expireLeases()
                        stack.krw.deliverLate()
                        stack.usd.deliverLate()
                    }
                }
                defer { group.cancelAll() }
                try await withThrowingTaskGroup(of: FXExchange.self) { callers in
                    for number in 0..<40 {
                        let client = stack.client(services[number % 3])
                        callers.addTask { try await stack.ended("x\(number)", client) }
                    }
                    for try await exchange in callers {
                        #expect(
                            [.completed, .failed, .cancelled].contains(exchange.state), "seed \(seed): \(exchange)")
                    }
                }
            }
            try await stack.expectBooksInOrder()
        }
    }
}

extension Stack {
    /// The exchange once it has ended, however many leases have to run out for it: a driver that was killed while it
    /// claimed an exchange may have got the lease all the same.
    func recovered(_ id: String, _ client: FxServiceClient) async throws -> FXExchange {
        var exchange = FXExchange()
        for _ in 0..<30 where !exchange.state.isSettled {
            do {
                try await expireLeases()
                let options = CallOptions(timeout: .seconds(1))
                exchange = try await client.createExchange(Self.request(id), options: options)
            } catch let error as PostgresError where error.mayRetry {
                continue  // The server is only just coming back.
            } catch let error as Status where WireErrorDetail(error)?.retry == .sameIDAfter {
                continue
            }
        }
        return exchange
    }

    /// Waits until the service has logged `event`, for at most 20 s.
    func untilLogged(_ event: String) async throws {
        struct WaitedInVain: Error { let event: String }
        let limit = ContinuousClock.now + .seconds(20)
        while !book.text.contains(event) {
            guard ContinuousClock.now < limit else { throw WaitedInVain(event: event) }
            await Task.yield()
        }
    }

    /// As if every driver had been silent for longer than its lease.
    func expireLeases() async throws {
        try await postgres.execute(
            sql: """
                UPDATE exchange_lease SET until = statement_timestamp() - interval '1 second'
                WHERE exchange_id IN (
                    SELECT exchange_id FROM exchange_lease WHERE owner IS NOT NULL FOR UPDATE SKIP LOCKED)
                """)
    }
}

extension FXExchangeState {
    fileprivate var isSettled: Bool { [.completed, .failed, .cancelled, .parked].contains(self) }
}
