import Contracts
import Postgres
import RPCCore
import Synchronization
import TestSupport
import Testing

@testable import BrokerGateway

/// Nothing leaves for a broker that is not written down first.
@Suite(.serialized) struct JournalTests {
    @Test func anAttemptIsWrittenDownBeforeTheBrokerIsCalled() async throws {
        try await Desk.with { (desk) async throws in
            let seen = Counter()
            desk.broker.onRequest.withLock { hook in
                hook = {
                    // Committed, and seen on another connection.
                    let rows = try await desk.journal()
                    #expect(rows.last?.hasSuffix("OPEN") == true, "\(rows)")
                    seen.increment()
                }
            }
            #expect(try await desk.submit().outcome == .confirmed)
            #expect(try await desk.cancel().outcome == .confirmed)
            #expect(seen.value == 2)
            #expect(try await desk.journal() == ["NEW order-1 1 CONFIRMED", "CANCEL cancel-1 1 CONFIRMED"])
        }
    }

    @Test func eachAttemptHasItsRowAndTheSameAttemptOnlyOne() async throws {
        try await Desk.with { (desk) async throws in
            desk.broker.plan(.fail(Status(.unavailable, certainty: .unknown)), .accept, .replay)
            #expect(try await desk.submit(attempt: 1).outcome == .unknown)
            #expect(try await desk.submit(attempt: 2).outcome == .confirmed)
            let again = try await desk.submit(attempt: 2)
            #expect(again.outcome == .confirmed && again.duplicate)
            #expect(
                try await desk.journal() == ["NEW order-1 1 UNKNOWN UNAVAILABLE", "NEW order-1 2 CONFIRMED"])
            #expect(Set(desk.broker.placed).count == 1, "every attempt carries the same order")
        }
    }

    @Test func aRepetitionsDoubtReplacesNoCertainty() async throws {
        try await Desk.with { (desk) async throws in
            desk.broker.plan(.accept, .fail(Status(.unavailable, certainty: .unknown)))
            _ = try await desk.submit()
            #expect(try await desk.submit().outcome == .unknown)
            #expect(try await desk.journal() == ["NEW order-1 1 CONFIRMED"])
        }
    }

    @Test(arguments: [Int32(1), 2]) func theSameIdWithOtherContentNeverLeaves(_ attempt: Int32) async throws {
        try await Desk.with { (desk) async throws in
            _ = try await desk.submit(symbol: "AAPL")
            let refused = await refusal { try await desk.submit(attempt: attempt, symbol: "MSFT") }
            #expect(refused?.code == .alreadyExists)
            #expect(refused?.detail?.reason == "CLIENT_ORDER_ID_REUSED")
            #expect(refused?.detail?.certainty == .definitelyNotDone)
            #expect(desk.broker.placed.map(\.symbol) == ["AAPL"])
            #expect(try await desk.journal() == ["NEW order-1 1 CONFIRMED"])
        }
    }

    /// Many at once, half with other content: one content wins, and only that one leaves.
    @Test func ofTwoContentsAtOnceOneLeaves() async throws {
        try await Desk.with { (desk) async throws in
            let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 1...20 as ClosedRange<Int32> {
                    group.addTask {
                        do {
                            _ = try await desk.submit(attempt: number, symbol: number % 2 == 0 ? "AAPL" : "MSFT")
                            return false
                        } catch let status as Status {
                            #expect(status.code == .alreadyExists, "\(status)")
                            return true
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(refused == 10)
            #expect(Set(desk.broker.placed.map(\.symbol)).count == 1)
            #expect(desk.broker.placed.count == 10)
        }
    }

    @Test func withoutAJournalNothingIsSentAndThatIsCertain() async throws {
        try await Desk.with(migrated: false) { (desk) async throws in
            for refused in [
                await refusal { try await desk.submit() }, await refusal { try await desk.cancel() },
            ] {
                #expect(refused?.code == .unavailable)
                #expect(refused?.detail?.reason == "ATTEMPTS_JOURNAL_UNAVAILABLE")
                #expect(refused?.detail?.certainty == .definitelyNotDone)
                #expect(refused?.detail?.retry == .sameIDAfter)
            }
            #expect(desk.broker.placed.isEmpty && desk.broker.cancelled.isEmpty)
        }
    }

    @Test func aLockedJournalIsGivenUpAfterItsTimeLimit() async throws {
        try await Desk.with(.set { $0.journalTimeout = .milliseconds(100) }) { (desk) async throws in
            try await desk.postgres.withTransaction { transaction in
                try await transaction.execute(sql: "LOCK TABLE attempt")
                let refused = await refusal { try await desk.submit() }
                #expect(refused?.detail?.reason == "ATTEMPTS_JOURNAL_UNAVAILABLE")
            }
            #expect(desk.broker.placed.isEmpty)
            #expect(try await desk.submit().outcome == .confirmed)
        }
    }

    /// The answer is worth more than its row.
    @Test func anAnswerThatCannotBeRecordedIsGivenAllTheSame() async throws {
        try await Desk.with { (desk) async throws in
            desk.broker.onRequest.withLock { hook in
                hook = { try await desk.postgres.executeScript("ALTER TABLE attempt RENAME TO gone") }
            }
            #expect(try await desk.submit().outcome == .confirmed)
            let open = try await desk.postgres.query(sql: "SELECT outcome IS NULL FROM gone") { row in
                try row.bool(0)
            }
            #expect(open == [true])
        }
    }

    @Test func incompleteRequestsAreRefused() async throws {
        try await Desk.with { (desk) async throws in
            #expect(await refusal { try await desk.submit("") }?.detail?.reason == "ORDER_MISSING")
            #expect(await refusal { try await desk.submit(attempt: 0) }?.detail?.reason == "ORDER_MISSING")
            #expect(await refusal { try await desk.cancel("") }?.detail?.reason == "CANCEL_MISSING")
            #expect(await refusal { try await desk.cancel(of: "") }?.detail?.reason == "CANCEL_MISSING")
            #expect(await refusal { try await desk.submit(broker: "other") }?.detail?.reason == "BROKER_UNKNOWN")
            #expect(try await desk.journal().isEmpty)
        }
    }
}
