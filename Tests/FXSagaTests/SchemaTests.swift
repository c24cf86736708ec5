import Contracts
import Domain
import EventBus
import Limits
import Postgres
import Testing

@testable import FXSaga

/// What the database refuses, whatever the code does.
@Suite struct SchemaTests {
    @Test func knowsTheTransitionsOfTheProtocol() async throws {
        try await Stack.with { stack in
            let stored = try await stack.postgres.query(sql: "SELECT state, next FROM exchange_transition") { row in
                "\(try row.string(0)) -> \(try row.string(1))"
            }
            let expected = ExchangeState.allCases.flatMap { state in
                state.successors.map { "\(state.rawValue) -> \($0.rawValue)" }
            }
            #expect(Set(stored) == Set(expected))
            #expect(stored.count == expected.count)
        }
    }

    @Test func refusesWhatTheLogMustNeverShow() async throws {
        try await Stack.with { stack in
            _ = try await stack.running { client in try await client.createExchange(Stack.request("x1")) }
            let line = "INSERT INTO exchange_state_log (exchange_id, seq, state, previous_state, epoch, detail) VALUES"
            for statement in [
                "UPDATE exchange_state_log SET detail = 'x'",
                "DELETE FROM exchange_state_log",
                "TRUNCATE exchange_state_log",
                "UPDATE exchange_request SET buy_minor = 1",
                "DELETE FROM exchange_request",
                "UPDATE exchange_key SET refusal = 'X'",
                "\(line) ('x1', 7, 'FAILED', 'COMPLETED', 1, '')",  // nothing follows an end
                "\(line) ('x1', 7, 'WITHDRAW_REQUESTED', 'REQUESTED', 1, '')",  // not the line before it
                "\(line) ('x1', 8, 'WITHDRAW_REQUESTED', 'REQUESTED', 1, '')",  // a gap
                "\(line) ('x1', 2, 'WITHDRAW_REQUESTED', 'REQUESTED', 1, '')",  // a branch
                "\(line) ('x1', 7, 'REQUESTED', NULL, 1, '')",  // a second beginning
                "UPDATE limit_usage SET in_progress_minor = -1",
            ] {
                await #expect(throws: PostgresError.self, "\(statement)") {
                    try await stack.postgres.execute(sql: statement)
                }
            }
            try await stack.expectBooksInOrder()
        }
    }

    /// An append under an old epoch changes nothing, nor do the statements that travel with it.
    @Test func anOldEpochWritesNothing() async throws {
        try await Stack.with { configuration in
            configuration.longestWait = .milliseconds(201)
        } _: { stack in
            _ = try await stack.client(stack.service()).createExchange(Stack.request("x1"))
            let id = try ExchangeID("x1")
            let store = ExchangeStore(
                postgres: stack.postgres, owner: "old", lease: .seconds(10), timeout: .seconds(10))
            let old = try #require(try await store.claim(id))
            let new = try #require(try await store.claim(id))
            #expect(new.epoch == old.epoch + 1)
            let record = try #require(try await store.load(id))
            var saga = try record.saga()
            let step = try ExchangeStep.next(&saga, .drive, rules: ExchangeRules())
            #expect(step.entered == [.withdrawRequested])
            await #expect(throws: Fenced.self) {
                try await store.commit(
                    step, of: record.snapshot, after: record.position, under: old,
                    StepEvidence(detail: "old", contradicts: true))
            }
            #expect(try await store.load(id) == record)
            #expect(try await stack.count("SELECT count(*) FROM exchange_alert") == 0)
            try await store.commit(step, of: record.snapshot, after: record.position, under: new, StepEvidence())
            // The same line again, under the same epoch: the key of the log refuses it.
            await #expect(throws: Fenced.self) {
                try await store.commit(step, of: record.snapshot, after: record.position, under: new, StepEvidence())
            }
        }
    }

    /// A repetition that arrives while the driver writes is refused by the key: it neither waits for the driver nor holds
    /// what the driver needs next.
    @Test func aRepetitionDoesNotWaitForTheDriver() async throws {
        try await Stack.with { stack in
            let configuration = stack.configuration
            let store = ExchangeStore(
                postgres: stack.postgres, owner: "driver", lease: configuration.lease,
                timeout: configuration.storeTimeout)
            let price = try await Acceptance(store: store, rates: DailyRates(), configuration: configuration)
                .currentPrice(buying: Money(minorUnits: 10_000, currency: .usd), selling: .krw)
            let accept = AcceptExchange(
                snapshot: ExchangeSnapshot(
                    id: try ExchangeID("x1"), customer: try CustomerID("kim"), source: try AccountID("kim-krw"),
                    target: try AccountID("kim-usd"), price: price, purpose: "test", traceparent: ""),
                bodyHash: String(repeating: "a", count: 32), counted: price.sell, dailyLimit: configuration.dailyLimit,
                owner: "driver",
                lease: configuration.lease)
            #expect(try await stack.postgres.execute(accept) == 1)
            try await stack.postgres.withTransaction { driver in
                try await driver.execute(sql: "UPDATE exchange_lease SET until = until WHERE exchange_id = 'x1'")
                let error = await #expect(throws: PostgresError.self) {
                    try await Deadline.within(.seconds(3)) { try await stack.postgres.execute(accept) }
                }
                #expect(
                    error?.isUniqueViolation(of: AcceptExchange.keyConstraint) == true, "\(String(describing: error))")
                try await driver.execute(sql: "UPDATE limit_usage SET in_progress_minor = in_progress_minor")
            }
        }
    }

    /// Messages that can have no effect are kept for a person, and disturb nothing.
    @Test func buriesWhatCannotFollow() async throws {
        try await Stack.with { stack in
            try await stack.running { client in
                let before = try await client.createExchange(Stack.request("x1"))
                stack.usd.fail(.deposit, .refuse("RULE"))
                try await stack.bus.publish([
                    EventEnvelope(id: "e1", topic: "withdrawal-cancelled", key: "x", payload: [0xFF], occurredAt: 0),
                    Stack.cancelled("unknown", "REVERSED", cause: "e2"),
                    Stack.cancelled("x1", "GONE", cause: "e3"),
                    Stack.cancelled("x1", "REVERSED", cause: "e4"),
                ])
                #expect(try await client.createExchange(Stack.request("x2")).state == .cancelled)
                #expect(try await client.getExchange(FXGetExchangeRequest(exchangeID: "x1")).log == before.log)
            }
            let buried = try await stack.postgres.query(
                sql: "SELECT event_id FROM dead_letter ORDER BY event_id"
            ) { try $0.string(0) }
            #expect(buried == ["e1", "e3/done"])
        }
    }
}
