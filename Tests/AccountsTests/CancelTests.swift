import Accounts
import Contracts
import Domain
import EventBus
import Limits
import Postgres
import Protobuf
import ServiceKit
import TestSupport
import Testing

/// Withdrawals given back over the bus.
@Suite struct CancelTests {
    private func cancel(
        _ key: String, _ minor: Int64, id: String? = nil, account: String = "A-1", currency: String = "KRW"
    ) -> EventEnvelope {
        let request = EventWithdrawalCancelRequested(
            exchangeID: "x", operationKey: key, accountID: account,
            amount: WireMoney(currency: currency, minor: minor))
        return EventEnvelope(
            id: id ?? "cancel-\(key)", topic: "withdrawal-cancels", key: "x", payload: request.encoded(),
            headers: ["traceparent": Self.traceparent], occurredAt: 0)
    }

    private static let traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

    /// What waits in the outbox, in order.
    private func results(_ ledger: TestLedger) async throws -> [String] {
        try await ledger.database.query(sql: "SELECT payload FROM outbox ORDER BY id") {
            try EventWithdrawalCancelled(decoding: $0.bytes(0)).outcome
        }
    }

    @Test func anAppliedWithdrawalIsGivenBackOnce() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.withdraw("x/withdraw", "A-1", 500)
            for _ in 0..<3 { try await ledger.service.consume(cancel("x/withdraw", 500)) }
            #expect(try await ledger.balance("A-1").balance?.minor == 2000)
            #expect(try await results(ledger) == ["REVERSED"])
            // The same wish under another id is answered, and changes nothing.
            try await ledger.service.consume(cancel("x/withdraw", 500, id: "again"))
            #expect(try await results(ledger) == ["REVERSED", "REVERSED"])
            #expect(try await ledger.balance("A-1").balance?.minor == 2000)
            let operation = try await ledger.withdraw("x/withdraw", "A-1", 500)
            #expect(operation.outcome == .reversed && operation.replayed)
            #expect(ledger.counter("reversed") == 1)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func aCancelBeforeItsWithdrawalSealsIt() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.service.consume(cancel("x/withdraw", 500))
            #expect(try await ledger.withdraw("x/withdraw", "A-1", 500).outcome == .sealed)
            #expect(try await ledger.balance("A-1").balance?.minor == 2000)
            #expect(try await results(ledger) == ["SEALED"])
            try await ledger.service.consume(cancel("x/withdraw", 500, id: "again"))
            #expect(try await results(ledger) == ["SEALED", "SEALED"])
            // Even when nobody knows the account.
            try await ledger.service.consume(cancel("y/withdraw", 500, account: "A-9"))
            #expect(try await ledger.resolve("y/withdraw").outcome == .sealed)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func aRefusedWithdrawalStaysRefused() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 100)
            try await ledger.withdraw("x/withdraw", "A-1", 500)
            try await ledger.service.consume(cancel("x/withdraw", 500))
            #expect(try await results(ledger) == ["REFUSED"])
            #expect(try await ledger.balance("A-1").balance?.minor == 100)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func whatItsAccountCannotTakeGoesToSuspense() async throws {
        var configuration = AccountsConfiguration.testing
        configuration.largestAmount = .max
        try await TestLedger.with(configuration) { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.withdraw("x/withdraw", "A-1", 500)
            try await ledger.database.execute(sql: "UPDATE account SET status = 'CLOSED'")
            for _ in 0..<2 { try await ledger.service.consume(cancel("x/withdraw", 500)) }
            #expect(try await ledger.balance("A-1").balance?.minor == 1500)
            // A balance that would leave 64 bits.
            try await ledger.open("A-2", 10, "USD")
            try await ledger.withdraw("y/withdraw", "A-2", 10, "USD")
            try await ledger.deposit("fill", "A-2", .max, "USD")
            try await ledger.service.consume(cancel("y/withdraw", 10, account: "A-2", currency: "USD"))
            #expect(try await results(ledger) == ["REVERSED", "REVERSED"])
            let suspense = try await ledger.count(
                "SELECT sum(amount)::bigint FROM entry WHERE account_id LIKE 'internal:suspense/%'")
            #expect(suspense == 510)
            #expect(ledger.counter("suspended") == 2)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func nonsenseIsPutAsideAndTheOtherLedgersCancelsAreLeftAlone() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.deposit("x/deposit", "A-1", 500)
            try await ledger.withdraw("x/withdraw", "A-1", 500)
            try await ledger.service.consume(cancel("x/deposit", 500))
            try await ledger.service.consume(cancel("x/withdraw", 501))
            try await ledger.service.consume(cancel("x/withdraw", 500, id: "other account", account: "A-2"))
            try await ledger.service.consume(cancel("x/withdraw", 500, id: "malformed", account: "A/1"))
            let garbage = EventEnvelope(
                id: "garbage", topic: "withdrawal-cancels", key: "x", payload: [0xFF], occurredAt: 0)
            try await ledger.service.consume(garbage)
            #expect(ledger.counter("cancel_rejected") == 5)
            #expect(try await ledger.count("SELECT count(*) FROM dead_letter") == 5)
            let krw = ledger.another { $0.currencies = [.krw] }
            try await krw.service.consume(cancel("z/withdraw", 5, currency: "USD"))
            await expectRefusal("OPERATION_UNKNOWN") { try await ledger.operation("z/withdraw") }
            #expect(try await results(ledger).isEmpty)
            #expect(try await ledger.balance("A-1").balance?.minor == 2000)
            try await ledger.expectBooksInOrder()
        }
    }

    /// Cancel, withdrawal and inquiry of one key from three processes at once: one outcome, and the books agree with it.
    @Test func cancelWithdrawalAndInquiryAtOnceEndInOneOutcome() async throws {
        try await TestLedger.with { ledger in
            let (second, third) = (ledger.another(), ledger.another())
            try await ledger.open("A-1", 100_000)
            for round in 0..<30 {
                let key = "k-\(round)"
                async let withdrawal = ledger.withdraw(key, "A-1", 100)
                async let cancelled: Void = second.service.consume(cancel(key, 100))
                async let resolved = third.resolve(key)
                _ = try await (withdrawal, cancelled, resolved)
                let end = try await ledger.operation(key).outcome
                #expect(end == .reversed || end == .sealed)
            }
            #expect(try await ledger.balance("A-1").balance?.minor == 100_000)
            try await ledger.expectBooksInOrder()
        }
    }

    @Test func theServiceTakesCancelsAndPublishesResults() async throws {
        try await TestLedger.with { ledger in
            try await ledger.open("A-1", 2000)
            try await ledger.withdraw("x/withdraw", "A-1", 500)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await ledger.service.run() }
                let results = BatchChannel<EventEnvelope>(capacity: 8)
                group.addTask {
                    try await ledger.bus.run(group: "test", consumer: "1", topics: ["withdrawal-cancelled"]) {
                        _ = await results.send($0)
                    }
                }
                // The same event twice, and one behind them that tells that both were taken.
                let first = cancel("x/withdraw", 500)
                try await ledger.bus.publish([first, first, cancel("late/withdraw", 7)])
                var told: [EventEnvelope] = []
                while told.count < 2, let batch = await results.receiveBatch(maximum: 8) { told += batch }
                #expect(told.allSatisfy { $0.topic == "withdrawal-cancelled" && $0.key == "x" })
                #expect(told.allSatisfy { $0.headers["traceparent"] == Self.traceparent })
                let outcomes = try told.map { try EventWithdrawalCancelled(decoding: $0.payload) }
                #expect(outcomes.map(\.operationKey) == ["x/withdraw", "late/withdraw"])
                #expect(outcomes.map(\.outcome) == ["REVERSED", "SEALED"])
                #expect(outcomes.allSatisfy { $0.exchangeID == "x" })
                group.cancelAll()
            }
            #expect(try await ledger.balance("A-1").balance?.minor == 2000)
            #expect(ledger.counter("reversed") == 1 && ledger.bus.deadLetters.isEmpty)
            try await ledger.expectBooksInOrder()
        }
    }

    /// The database goes away under the consumer for longer than the bus would have patience, and comes back.
    @Test func aCancelOutlastsTheDatabasesAbsence() async throws {
        try await TestLedger.withServer { server, ledger, impatient in
            let bus = impatient.bus
            try await ledger.open("A-1", 2000)
            try await ledger.withdraw("x/withdraw", "A-1", 500)
            try await server.stop(.fast)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let results = BatchChannel<EventEnvelope>(capacity: 8)
                group.addTask {
                    try await bus.run(group: "test", consumer: "1", topics: ["withdrawal-cancelled"]) {
                        _ = await results.send($0)
                    }
                }
                group.addTask { try await impatient.service.run() }
                try await bus.publish([cancel("x/withdraw", 500)])
                await #expect(throws: Refusal.self) { try await impatient.balance("A-1") }
                try await server.restart()
                let told = try #require(await results.receiveBatch(maximum: 1)?.first)
                let outcome = try EventWithdrawalCancelled(decoding: told.payload).outcome
                #expect(outcome == "REVERSED")
                group.cancelAll()
            }
            #expect(bus.deadLetters.isEmpty)
            #expect(try await ledger.balance("A-1").balance?.minor == 2000)
        }
    }
}
