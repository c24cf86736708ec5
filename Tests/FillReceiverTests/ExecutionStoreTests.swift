import Contracts
import Postgres
import TestSupport
import Testing

@testable import FillReceiver

/// Each statement of the store on real tables.
@Suite(.serialized) struct ExecutionStoreTests {
    private func delivery(_ sequence: Int64, _ exec: String, text: String = "") -> BrokerSequencedReport {
        BrokerSequencedReport(
            sequence: sequence, cursor: "c\(sequence)",
            report: BrokerExecutionReport(execID: exec, clientOrderID: "order-\(exec)", text: text))
    }

    @Test func aFeedOpensOnceAndKeepsItsPlace() async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            let start = StorePlan.Feed(
                cursor: "", storedSequence: 0, lastReceiverSequence: 0, appliedReceiverSequence: 0)
            #expect(try await store.open() == start)
            _ = try await store.store([delivery(1, "a"), delivery(2, "b")])
            let feed = try await store.open()
            #expect(feed.cursor == "c2" && feed.storedSequence == 2 && feed.lastReceiverSequence == 2)
            #expect(try await stage.count("feed") == 1)
        }
    }

    @Test func copiesAndConflictsAreCountedAndNeitherStoredNorPublishedAgain() async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([delivery(1, "a"), delivery(1, "a"), delivery(2, "b")])
            _ = try await store.store([
                delivery(1, "a"), delivery(2, "b", text: "other"), delivery(2, "b", text: "other"),
            ])
            #expect(
                try await stage.stored() == [
                    .init(exec: "a", number: 1, duplicates: 2), .init(exec: "b", number: 2, conflicts: 2),
                ])
            // The same wrong content is kept once.
            #expect(try await stage.count("execution_conflict") == 1)
            #expect(try await stage.count("outbox") == 2)
            #expect(stage.deliveries("stored") == 2)
            #expect(stage.deliveries("duplicate") == 2)
            #expect(stage.deliveries("conflicting") == 2)
        }
    }

    /// The trace travels beside the content: with it or without it, or with another one, a report is the same.
    @Test func theTraceIsPassedOnAndIsNoContent() async throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        @Sendable func traced(_ sequence: Int64, _ exec: String, _ trace: String) -> BrokerSequencedReport {
            var delivery = delivery(sequence, exec)
            delivery.report?.traceparent = trace
            return delivery
        }
        try await Stage.with(.set { $0.applyPatience = .milliseconds(1) }) { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([traced(1, "a", trace), delivery(2, "b"), traced(3, "c", "nonsense\u{0}")])
            _ = try await store.store([delivery(1, "a"), traced(1, "a", "00-other"), traced(2, "b", trace)])
            #expect(
                try await stage.stored() == [
                    .init(exec: "a", number: 1, duplicates: 2), .init(exec: "b", number: 2, duplicates: 1),
                    .init(exec: "c", number: 3),
                ])
            @Sendable func published() async throws -> [String?] {
                try await stage.postgres.query(sql: "SELECT traceparent FROM outbox ORDER BY event_id") {
                    row in try row.optionalString(0)
                }
            }
            #expect(try await published() == [trace, nil, nil])
            try await stage.postgres.execute(sql: "DELETE FROM outbox")
            try await eventually("the patience is over") { try await store.publishUnapplied().count == 3 }
            #expect(try await published() == [trace, nil, nil])
        }
    }

    @Test func aConflictWithinTheBatchOfItsFirstDeliveryIsKept() async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([delivery(1, "a"), delivery(2, "a", text: "other")])
            #expect(try await stage.stored() == [.init(exec: "a", number: 1, conflicts: 1)])
            #expect(try await stage.cursor() == "c2")
        }
    }

    @Test func theCursorWaitsAtAGapAndTheRestIsStored() async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            let plan = try await store.store([delivery(1, "a"), delivery(3, "c")])
            #expect(plan.hasGap)
            #expect(try await stage.cursor() == "c1")
            _ = try await store.store([delivery(2, "b"), delivery(3, "c")])
            #expect(try await stage.cursor() == "c3")
            #expect(try await stage.stored().map(\.exec) == ["a", "c", "b"])
        }
    }

    @Test(arguments: [
        "UPDATE execution SET report = '\\x00'", "UPDATE execution SET exec_id = 'z'",
        "UPDATE execution SET client_order_id = 'z'", "UPDATE execution SET feed_sequence = 9",
        "UPDATE execution SET received_at = now()", "UPDATE execution SET duplicates = -1",
        "DELETE FROM execution WHERE exec_id = 'b'", "TRUNCATE execution CASCADE",
        "DELETE FROM execution_conflict", "UPDATE execution_conflict SET report = '\\x00'",
        "TRUNCATE execution_conflict",
    ])
    func whatIsStoredIsFinal(_ sql: String) async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([delivery(1, "a"), delivery(1, "a", text: "other"), delivery(2, "b")])
            let error = await #expect(throws: PostgresError.self) { try await stage.postgres.execute(sql: sql) }
            #expect(error?.sqlState?.rawValue == "P0001", "\(String(describing: error))")
            #expect(try await stage.count("execution") == 2)
            #expect(try await stage.count("execution_conflict") == 1)
        }
    }

    @Test func onlyWhatIsOldPublishedAndUnappliedIsPublishedAgain() async throws {
        try await Stage.with(.set { $0.applyPatience = .milliseconds(1) }) { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([delivery(1, "a"), delivery(2, "b")])
            // Still on their first way.
            #expect(try await store.publishUnapplied().count == 0)
            try await stage.postgres.execute(sql: "DELETE FROM outbox")
            _ = try await stage.postgres.execute(RecordApplied(brokerID: Stage.brokerID, receiverSequence: 1))
            try await eventually("the patience is over") { try await store.publishUnapplied().count == 1 }
            let ids = try await stage.postgres.query(sql: "SELECT event_id FROM outbox") { row in try row.string(0) }
            #expect(ids == ["mock/b"])
        }
        try await Stage.with(.set { $0.applyPatience = .milliseconds(900) }) { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([delivery(1, "a")])
            try await stage.postgres.execute(sql: "DELETE FROM outbox")
            // A patience below one second is no patience of zero.
            #expect(try await store.publishUnapplied().count == 0)
        }
    }

    @Test func theWatermarkOnlyRisesAndNeverPastWhatIsStored() async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([delivery(1, "a"), delivery(2, "b")])
            for (said, expected) in [(1, 1), (2, 2), (1, 2), (99, 2)] as [(Int64, Int64)] {
                _ = try await stage.postgres.execute(RecordApplied(brokerID: Stage.brokerID, receiverSequence: said))
                #expect(try await store.open().appliedReceiverSequence == expected)
            }
        }
    }

    @Test func aReportWithoutAnIdIsRaisedAndHoldsNothingUp() async throws {
        try await Stage.with { stage in
            let store = stage.makeStore()
            _ = try await store.open()
            _ = try await store.store([
                delivery(1, "a"), BrokerSequencedReport(sequence: 2, cursor: "c2"), delivery(3, ""), delivery(4, "d"),
            ])
            #expect(try await stage.stored().map(\.exec) == ["a", "d"])
            #expect(try await stage.cursor() == "c4")
            #expect(stage.deliveries("unreadable") == 2)
        }
    }

    @Test func aListPageNeverPartsTheRowsOfTwoBrokers() async throws {
        try await Stage.with { stage in
            for broker in ["east", "west"] {
                let store = ExecutionStore(
                    brokerID: broker, configuration: FillReceiverConfiguration(), environment: stage.environment,
                    postgres: stage.postgres)
                _ = try await store.open()
                _ = try await store.store((1...5).map { delivery($0, "\(broker)-\($0)") })
            }
            var seen: [String] = []
            var after: Int64 = 0
            while true {
                let page = try await stage.client.listExecutions(
                    FillsListExecutionsRequest(afterReceiverSequence: after, pageSize: 3))
                guard let last = page.executions.last else { break }
                seen += page.executions.compactMap { $0.report?.execID }
                after = last.receiverSequence
            }
            #expect(seen.count == 10 && Set(seen).count == 10)
            let one = try await stage.client.listExecutions(FillsListExecutionsRequest(clientOrderID: "order-east-4"))
            #expect(one.executions.map(\.brokerID) == ["east"])
            #expect(one.executions.map(\.published) == [false])
            let marks = try await stage.client.getHighWater(FillsGetHighWaterRequest()).brokers
            #expect(marks.map(\.brokerID) == ["east", "west"])
            #expect(marks.map(\.unpublished) == [5, 5])
        }
    }

    @Test(arguments: [Int32(-1), 1001]) func pagesHaveTheirBounds(_ size: Int32) async throws {
        try await Stage.with { stage in
            await #expect(throws: (any Error).self) {
                try await stage.client.listExecutions(FillsListExecutionsRequest(pageSize: size))
            }
        }
    }
}
