import Contracts
import EventBus
import TestSupport
import Testing

@testable import FillReceiver

/// The receiver against a broker that misbehaves.
@Suite(.serialized) struct FeedTests {
    @Test func aFeedFullOfCopiesIsStoredOnceAndPublishedOnceInOrder() async throws {
        try await Stage.with { stage in
            stage.broker.setFaults { $0.copies = 3 }
            try await stage.running {
                try await eventually("a stream is open") { stage.broker.openStreams == 1 }
                for number in 1...20 { stage.broker.fill("e\(number)") }
                try await eventually("all are published") { stage.bus.published.count == 20 }
            }
            let rows = try await stage.stored()
            #expect(rows.map(\.exec) == (1...20).map { "e\($0)" })
            #expect(rows.map(\.number) == Array(1...20))
            let executions = try stage.bus.executions
            #expect(executions.map(\.receiverSequence) == Array(1...20))
            #expect(stage.bus.published.allSatisfy { $0.topic == "executions" && $0.key == "order-1" })
            #expect(stage.bus.published[6].id == "mock/e7")
            #expect(try await stage.count("outbox") == 0)
        }
    }

    @Test func theHistoryIsFetchedPageByPageBeforeTheStream() async throws {
        try await Stage.with(.set { $0.batchLimit = 7 }) { stage in
            for number in 1...30 { stage.broker.fill("e\(number)") }
            try await stage.running {
                try await eventually("a stream is open") { stage.broker.openStreams == 1 }
            }
            #expect(try await stage.stored().count == 30)
            #expect(stage.broker.listCursors.prefix(5) == ["", "c7", "c14", "c21", "c28"])
            #expect(stage.broker.streamCursors == ["c30"])
        }
    }

    @Test func whatAHealthyStreamLosesIsNoticedAndFetched() async throws {
        try await Stage.with { stage in
            stage.broker.setFaults { $0.lostOnStream = [2, 5] }
            try await stage.running {
                try await eventually("a stream is open") { stage.broker.openStreams == 1 }
                for number in 1...4 { stage.broker.fill("e\(number)") }
                try await eventually("the hole is filled") { try await stage.cursor() == "c4" }
                // The last report lost: only the heartbeats tell.
                stage.broker.fill("e5")
                try await eventually("the end is fetched") { try await stage.cursor() == "c5" }
                try await eventually("all are published") { stage.bus.published.count == 5 }
            }
            #expect(Set(try await stage.stored().map(\.exec)) == ["e1", "e2", "e3", "e4", "e5"])
            #expect(try await stage.stored().map(\.number) == Array(1...5))
            #expect(stage.gaps >= 2)
            #expect(stage.broker.streamCursors.count == 1, "the stream itself was never broken")
        }
    }

    @Test func aHoleThatTheBrokerCannotFillHoldsUpNothingBehindIt() async throws {
        try await Stage.with(.set { $0.batchLimit = 4 }) { stage in
            stage.broker.setFaults { $0.missing = [3] }
            for number in 1...30 { stage.broker.fill("e\(number)") }
            try await stage.running {
                try await eventually("everything else is stored") { try await stage.count("execution") == 29 }
                stage.broker.fill("e31")
                try await eventually("the stream goes on") { try await stage.count("execution") == 30 }
                #expect(try await stage.cursor() == "c2")
                let mark = try await stage.client.getHighWater(FillsGetHighWaterRequest()).brokers[0]
                #expect(mark.storedSequence == 2 && mark.brokerSequence == 31 && mark.connected)
                stage.broker.setFaults { $0.missing = [] }
                try await eventually("the hole is filled at last") { try await stage.cursor() == "c31" }
            }
        }
    }

    @Test func aBrokerThatGoesAndComesBackIsResumedFromTheCursor() async throws {
        try await Stage.with { stage in
            try await stage.running {
                stage.broker.fill("e1")
                stage.broker.fill("e2")
                try await eventually("both are stored") { try await stage.cursor() == "c2" }
                try await eventually("a stream is open") { stage.broker.openStreams == 1 }
                stage.broker.setFaults { $0.isDown = true }
                try await eventually("the stream is gone") { stage.broker.openStreams == 0 }
                let asked = stage.broker.listCursors.count
                stage.broker.fill("e3")
                try await eventually("it is asked again") { stage.broker.listCursors.count > asked + 1 }
                #expect(try await stage.count("execution") == 2)
                #expect(try await !stage.client.getHighWater(FillsGetHighWaterRequest()).brokers[0].connected)
                stage.broker.setFaults { $0.isDown = false }
                try await eventually("the third is stored") { try await stage.cursor() == "c3" }
                #expect(stage.broker.listCursors[asked...].allSatisfy { $0 == "c2" })
                try await eventually("a stream is open again") { stage.broker.streamCursors.last == "c3" }
            }
            #expect(try await stage.stored() == (1...3).map { Stage.Row(exec: "e\($0)", number: $0) })
        }
    }

    @Test func aSilentStreamCountsAsDead() async throws {
        try await Stage.with(.set { $0.silenceLimit = .milliseconds(100) }) { stage in
            stage.broker.setFaults { $0.isSilent = true }
            try await stage.running {
                try await eventually("it was opened again") { stage.broker.streamCursors.count >= 2 }
                // Each new beginning fetches, so that even a mute stream brings everything late.
                stage.broker.fill("e1")
                try await eventually("it was fetched") { try await stage.cursor() == "c1" }
            }
        }
    }

    @Test func receivingGoesOnWhileTheBusIsDown() async throws {
        try await Stage.with { stage in
            try await stage.running {
                try await eventually("the receiver listens") { stage.bus.subscriptions == 1 }
                stage.bus.setDown(true)
                for number in 1...5 { stage.broker.fill("e\(number)") }
                try await eventually("all are stored") { try await stage.cursor() == "c5" }
                try await eventually("the bus was tried") { stage.bus.refusals >= 2 }
                #expect(try await stage.count("outbox") == 5)
                #expect(stage.bus.published.isEmpty)
                let mark = try await stage.client.getHighWater(FillsGetHighWaterRequest()).brokers[0]
                #expect(mark.unpublished == 5)
                stage.bus.setDown(false)
                try await eventually("all are published") { stage.bus.published.count == 5 }
                try await eventually("the outbox is empty") { try await stage.count("outbox") == 0 }
                try await eventually("it listens again") { stage.bus.subscriptions == 2 }
            }
            #expect(try stage.bus.executions.map(\.receiverSequence) == [1, 2, 3, 4, 5])
        }
    }

    @Test func whatNobodyAppliesIsPublishedAgainUntilTheWatermarkPassesIt() async throws {
        try await Stage.with(.set { $0.applyPatience = .milliseconds(30) }) { stage in
            try await stage.running {
                stage.broker.fill("e1")
                stage.broker.fill("e2")
                try await eventually("both came again") {
                    ["mock/e1", "mock/e2"].allSatisfy { id in stage.bus.published.filter { $0.id == id }.count >= 2 }
                }
                try await stage.bus.deliverApplied(Stage.brokerID, upTo: 1)
                try await eventually("the outbox is empty") { try await stage.count("outbox") == 0 }
                let before = stage.bus.published.filter { $0.id == "mock/e1" }.count
                let others = stage.bus.published.filter { $0.id == "mock/e2" }.count
                try await eventually("the second came again") {
                    stage.bus.published.filter { $0.id == "mock/e2" }.count > others
                }
                #expect(stage.bus.published.filter { $0.id == "mock/e1" }.count <= before + 1)
                try await stage.bus.deliverApplied(Stage.brokerID, upTo: 2)
                #expect(try await stage.makeStore().publishUnapplied().count == 0)
            }
            // Copies are the same event: consumers' inboxes drop them.
            #expect(Set(stage.bus.published.map(\.id)).count == 2)
            #expect(Set(stage.bus.published.map(\.payload)).count == 2)
        }
    }

    @Test func twoReceiversOnOneDatabaseNumberWithoutGaps() async throws {
        try await Stage.with { stage in
            let bus = WeatheredBus()
            try await stage.running(stage.makeTwin(bus: bus)) {
                try await eventually("both follow") { stage.broker.openStreams == 2 }
                for number in 1...200 { stage.broker.fill("e\(number)", order: "order-\(number % 7)") }
                try await eventually("all are stored") { try await stage.cursor() == "c200" }
                try await eventually("all are published") { try await stage.count("outbox") == 0 }
            }
            let rows = try await stage.stored()
            #expect(rows.map(\.number) == Array(1...200))
            #expect(Set(rows.map(\.exec)).count == 200)
            #expect(stage.bus.published.count + bus.published.count == 200)
        }
    }

    @Test func whatTheOtherReceiverHasStoredIsNoGap() async throws {
        try await Stage.with { stage in
            let twin = stage.makeTwin(bus: WeatheredBus())
            stage.broker.setFaults { $0.lostOnStream = [2] }
            try await stage.running(twin) {
                try await eventually("both follow") { stage.broker.openStreams == 2 }
                for number in 1...2 { stage.broker.fill("e\(number)") }
                try await eventually("all are stored") { try await stage.cursor() == "c2" }
                try await eventually("both know") {
                    let mark = try await stage.client.getHighWater(FillsGetHighWaterRequest()).brokers[0]
                    return mark.brokerSequence == 2
                }
                // A later report ends every wait: whoever still missed the second would fetch again.
                stage.broker.fill("e3")
                try await eventually("all are stored") { try await stage.cursor() == "c3" }
            }
            // Both may have noticed it before either had it; nobody notices it twice.
            #expect((1...2).contains(stage.gaps))
        }
    }
}
