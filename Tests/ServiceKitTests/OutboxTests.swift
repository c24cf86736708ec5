import EventBus
import Postgres
import ServiceKit
import TestSupport
import Testing

@Suite(.serialized) struct OutboxTests {
    private func event(_ number: Int, key: String = "k") -> EventEnvelope {
        EventEnvelope(
            id: "event-\(number)", topic: "topic", key: key, payload: [UInt8(number % 256)],
            headers: ["traceparent": "00-\(number)"], occurredAt: 0)
    }

    private func withOutbox(_ body: @Sendable (PostgresClient) async throws -> Void) async throws {
        try await ScratchDatabase.withClient { postgres in
            try await Migrator.migrate(postgres, to: [.outbox(1), .inbox(2)], environment: .testing())
            try await body(postgres)
        }
    }

    private func running(_ relays: OutboxRelay..., body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for relay in relays { group.addTask { await relay.run() } }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func depth(_ postgres: PostgresClient) async throws -> Int64 {
        try await postgres.query(sql: "SELECT count(*) FROM outbox") { row in try row.int64(0) }[0]
    }

    @Test func eventsLeaveInOrderWithAllTheyCarry() async throws {
        try await withOutbox { postgres in
            let publisher = TestPublisher()
            // More than two batches.
            for start in stride(from: 0, to: 300, by: 100) {
                _ = try await postgres.execute(
                    AppendToOutbox((start..<start + 100).map { event($0, key: "\($0 % 3)") }))
            }
            try await running(OutboxRelay(postgres, to: publisher, environment: .testing())) {
                try await eventually("all have left") { publisher.taken.count == 300 }
                try await eventually("none is left") { try await depth(postgres) == 0 }
            }
            #expect(publisher.taken.map(\.id) == (0..<300).map { "event-\($0)" })
            let sample = try #require(publisher.taken.first { $0.id == "event-7" })
            #expect(sample.topic == "topic" && sample.key == "1" && sample.payload == [7])
            #expect(sample.headers == ["traceparent": "00-7"])
            #expect(sample.occurredAt > 1_700_000_000_000_000)
        }
    }

    @Test func whatTheBusRefusesStaysAndLeavesLater() async throws {
        try await withOutbox { postgres in
            let publisher = TestPublisher(.refuses)
            let relay = OutboxRelay(postgres, to: publisher, environment: .testing())
            _ = try await postgres.execute(AppendToOutbox((0..<5).map { event($0) }))
            try await running(relay) {
                try await eventually("it was tried twice") { publisher.calls >= 2 }
                #expect(try await depth(postgres) == 5)
                publisher.setMood(.takes)
                try await eventually("all have left") { publisher.taken.count == 5 }
            }
            #expect(publisher.taken.map(\.id) == (0..<5).map { "event-\($0)" })
        }
    }

    /// As after a death between the bus's confirmation and the commit.
    @Test func whatWasPublishedAndNotCommittedIsPublishedAgain() async throws {
        try await withOutbox { postgres in
            let publisher = TestPublisher(.takesAndFails)
            _ = try await postgres.execute(AppendToOutbox([event(1), event(2)]))
            try await running(OutboxRelay(postgres, to: publisher, environment: .testing())) {
                try await eventually("it was published twice") { publisher.taken.count >= 4 }
                #expect(try await depth(postgres) == 2)
                publisher.setMood(.takes)
                try await eventually("none is left") { try await depth(postgres) == 0 }
            }
            let ids = publisher.taken.map(\.id)
            #expect(ids.count.isMultiple(of: 2))
            for start in stride(from: 0, to: ids.count, by: 2) {
                #expect(ids[start..<start + 2] == ["event-1", "event-2"])
            }
        }
    }

    @Test func twoRelaysPublishEachEventOnceAndInOrder() async throws {
        try await withOutbox { postgres in
            let publisher = TestPublisher()
            let relays = (0..<2).map { _ in
                OutboxRelay(postgres, to: publisher, environment: .testing(), interval: .milliseconds(1))
            }
            try await running(relays[0], relays[1]) {
                for number in 0..<400 {
                    _ = try await postgres.execute(AppendToOutbox([event(number)]))
                    relays[number % 2].wake()
                }
                try await eventually("none is left") { try await depth(postgres) == 0 }
                try await eventually("all have left") { publisher.taken.count >= 400 }
            }
            #expect(publisher.taken.map(\.id) == (0..<400).map { "event-\($0)" })
        }
    }

    @Test func wakeEndsTheWait() async throws {
        try await withOutbox { postgres in
            let publisher = TestPublisher()
            // Without a wake-up the second event would wait for an hour.
            let relay = OutboxRelay(postgres, to: publisher, environment: .testing(), interval: .seconds(3600))
            try await running(relay) {
                for number in 1...3 {
                    _ = try await postgres.execute(AppendToOutbox([event(number)]))
                    relay.wake()
                    try await eventually("event \(number) has left") { publisher.taken.count == number }
                }
            }
        }
    }

    @Test func aHangingBusHoldsNoTransactionForEver() async throws {
        try await withOutbox { postgres in
            let publisher = TestPublisher(.hangs)
            let relay = OutboxRelay(postgres, to: publisher, environment: .testing(), limit: .milliseconds(50))
            _ = try await postgres.execute(AppendToOutbox([event(1)]))
            try await running(relay) {
                try await eventually("it was given up and tried again") { publisher.calls >= 2 }
                publisher.setMood(.takes)
                try await eventually("none is left") { try await depth(postgres) == 0 }
            }
            #expect(publisher.taken.map(\.id) == ["event-1"])
        }
    }

    @Test func anEventOfARolledBackTransactionNeverLeaves() async throws {
        struct ChangedMyMind: Error {}
        try await withOutbox { postgres in
            let publisher = TestPublisher()
            await #expect(throws: ChangedMyMind.self) {
                try await postgres.withTransaction { transaction in
                    _ = try await transaction.execute(AppendToOutbox([event(1)]))
                    throw ChangedMyMind()
                }
            }
            _ = try await postgres.execute(AppendToOutbox([event(2)]))
            try await running(OutboxRelay(postgres, to: publisher, environment: .testing())) {
                try await eventually("something has left") { !publisher.taken.isEmpty }
            }
            #expect(publisher.taken.map(\.id) == ["event-2"])
        }
    }

    @Test func theInboxKnowsAnEventOncePerConsumer() async throws {
        try await withOutbox { postgres in
            var affected: [Int] = []
            for (consumer, event) in [("a", "1"), ("a", "1"), ("b", "1"), ("a", "2")] {
                affected.append(try await postgres.execute(RecordInInbox(consumer: consumer, eventID: event)))
            }
            #expect(affected == [1, 0, 1, 1])
        }
    }

    /// Two consumers with the same event at once: the second waits for the first, and does nothing.
    @Test func theInboxLetsOneOfManyThrough() async throws {
        try await withOutbox { postgres in
            try await postgres.executeScript("CREATE TABLE effect (event_id text)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await postgres.withTransaction { transaction in
                            let first = try await transaction.execute(RecordInInbox(consumer: "a", eventID: "1"))
                            if first == 1 { try await transaction.execute(sql: "INSERT INTO effect VALUES ('1')") }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let effects = try await postgres.query(sql: "SELECT count(*) FROM effect") { row in try row.int64(0) }
            #expect(effects == [1])
        }
    }
}
