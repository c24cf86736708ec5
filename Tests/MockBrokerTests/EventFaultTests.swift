import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// Each fault in the delivery of reports, as the reader of a stream sees it.
@Suite struct EventFaultTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func rule(
        _ fault: BrokerEventFault.Fault, of kinds: [WireExecType] = [.trade], order: String = "",
        at point: BrokerInjectionPoint = .unspecified, attempts: ClosedRange<Int32>? = nil
    ) -> BrokerRule {
        var selector = BrokerSelector(execTypes: kinds, clientOrderID: order)
        if let attempts { (selector.fromAttempt, selector.toAttempt) = (attempts.lowerBound, attempts.upperBound) }
        return BrokerRule(ruleID: "fault", when: selector, at: point, action: .event(BrokerEventFault(fault: fault)))
    }

    /// What a stream shows: a report as its sequence and kind, a heartbeat as its last sequence.
    private struct Story {
        var events: [String] = []
        var reports: [BrokerSequencedReport] = []
        var heartbeats: [BrokerHeartbeat] = []
    }

    /// Places orders 1 to `orders` (each makes NEW and TRADE), then reads until `count` events have come.
    private func story(
        _ rule: BrokerRule, orders: Int = 2, count: Int, from cursor: String = "", _ fixture: BrokerFixture
    ) async throws -> Story {
        try await fixture.setRules([rule])
        for number in 1...orders { _ = try await fixture.place("\(number)") }
        while try await fixture.truth().reports.count < 2 * orders { await Task.yield() }
        return try await read(count, from: cursor, fixture)
    }

    private func read(_ count: Int, from cursor: String = "", _ fixture: BrokerFixture) async throws -> Story {
        try await fixture.broker.streamExecutions(BrokerStreamExecutionsRequest(cursor: cursor)) { events in
            var story = Story()
            for try await event in events {
                switch event.event {
                case .report(let report):
                    story.reports.append(report)
                    story.events.append("\(report.sequence) \(report.report?.execType ?? .unspecified)")
                case .heartbeat(let heartbeat):
                    story.heartbeats.append(heartbeat)
                    story.events.append("heartbeat \(heartbeat.lastSequence)")
                case nil: story.events.append("nothing")
                }
                if story.events.count == count { break }
            }
            return story
        }
    }

    /// Moves the clock past a heartbeat once the stream waits for it.
    private func passHeartbeat(_ fixture: BrokerFixture) async {
        await fixture.clock.waitForSleeper(milliseconds: 1000)
        fixture.clock.advance(milliseconds: 1000)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [BrokerDuplicateKind.unspecified, .newExecID, .otherContent])
    func duplicates(kind: BrokerDuplicateKind) async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let story = try await story(
                rule(.duplicate(BrokerDuplicate(copies: 2, kind: kind)), order: "1"), count: 6, fixture)
            #expect(story.events == ["1 new", "2 trade", "2 trade", "2 trade", "3 new", "4 trade"])
            let copies = story.reports[1...3].compactMap(\.report)
            #expect(Set(copies.map(\.execID)).count == (kind == .newExecID ? 3 : 1))
            #expect(Set(copies.map(\.lastPx)).count == (kind == .otherContent ? 2 : 1))
            #expect(copies.allSatisfy { $0.cumQty == copies[0].cumQty })
            // The books have it once.
            #expect(try await fixture.truth().reports.count == 4)
        }
    }

    @Test(.timeLimit(.minutes(1))) func copiesMayComeLater() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            async let told = story(
                rule(
                    .duplicate(BrokerDuplicate(copies: 1, spacing: Google_Protobuf_Duration(nanos: 400_000_000))),
                    order: "1"), count: 5, fixture)
            await fixture.clock.waitForSleeper(milliseconds: 400)
            fixture.clock.advance(milliseconds: 400)
            #expect(try await told.events == ["1 new", "2 trade", "3 new", "4 trade", "2 trade"])
        }
    }

    @Test(.timeLimit(.minutes(1))) func aDropIsSeenByTheHeartbeatAndPulled() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            async let told = story(rule(.drop(BrokerDrop()), order: "2", attempts: 1...1), count: 4, fixture)
            await passHeartbeat(fixture)
            let story = try await told
            #expect(story.events == ["1 new", "2 trade", "3 new", "heartbeat 4"])
            let page = try await fixture.broker.listExecutions(
                BrokerListExecutionsRequest(cursor: story.reports[2].cursor))
            #expect(page.reports.map(\.sequence) == [4])
            // The second time it comes.
            #expect(try await read(1, from: story.reports[2].cursor, fixture).events == ["4 trade"])
        }
    }

    @Test(.timeLimit(.minutes(1))) func aDropFromListsIsFoundFromTheVeryBeginning() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let first = try await story(
                rule(.drop(BrokerDrop(fromLists: true)), order: "1"), count: 3, fixture)
            #expect(first.events == ["1 new", "3 new", "4 trade"])
            let page = try await fixture.broker.listExecutions(
                BrokerListExecutionsRequest(cursor: first.reports[0].cursor))
            #expect(page.reports.map(\.sequence) == [3, 4])
            #expect(page.complete)
            let all = try await fixture.broker.listExecutions(BrokerListExecutionsRequest())
            #expect(all.reports.map(\.sequence) == [1, 2, 3, 4])
        }
    }

    @Test(.timeLimit(.minutes(1))) func reorder() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let story = try await story(
                rule(.reorder(BrokerReorder(window: 1)), of: [.new], order: "1"), count: 4, fixture)
            #expect(story.events == ["2 trade", "1 new", "3 new", "4 trade"])
        }
        // The last one has nobody to overtake it: it comes with the heartbeat.
        let other = try Scratch()
        try await BrokerFixture.run(other) { fixture async throws in
            async let told = story(rule(.reorder(BrokerReorder(window: 1)), order: "2"), count: 5, fixture)
            await passHeartbeat(fixture)
            await passHeartbeat(fixture)
            #expect(try await told.events == ["1 new", "2 trade", "3 new", "4 trade", "heartbeat 4"])
        }
    }

    @Test(.timeLimit(.minutes(1))) func batches() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([rule(.batch(BrokerBatch(count: 3)), of: [.new], order: "1")])
            _ = try await fixture.place("1")
            while try await fixture.truth().reports.count < 2 { await Task.yield() }
            async let told = read(4, fixture)
            // Two reports are there, and none is shown before the third.
            await fixture.clock.waitForSleeper(milliseconds: 1000)
            _ = try await fixture.place("2")
            #expect(try await told.events.count == 4)
            #expect(try await told.events == ["heartbeat 2", "1 new", "2 trade", "3 new"])
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [BrokerCorrupt.garbage, .truncated])
    func whatCannotBeReadEndsTheStreamAtTheClient(corruption: BrokerCorrupt) async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let broken = await status {
                try await story(rule(.corrupt(corruption), order: "1"), count: 4, fixture)
            }
            #expect(broken?.code == .internal)
        }
    }

    @Test(.timeLimit(.minutes(1))) func unknownPartsArePassedOn() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let field = try await story(rule(.corrupt(.unknownField), order: "1"), count: 4, fixture)
            #expect(field.events == ["1 new", "2 trade", "3 new", "4 trade"])
            try await fixture.setRules([rule(.corrupt(.unknownEnum), order: "1")])
            let kind = try await read(2, fixture)
            #expect(kind.reports.last?.report?.execType == .unrecognized(99))
        }
    }

    @Test(.timeLimit(.minutes(1))) func gapsAndResetsOfTheSequence() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let gap = try await story(rule(.sequenceGap(BrokerSequenceGap(count: 5)), order: "1"), count: 4, fixture)
            #expect(gap.events == ["1 new", "7 trade", "8 new", "9 trade"])
            try await fixture.setRules([rule(.sequenceReset(BrokerSequenceReset()), of: [.new], order: "2")])
            #expect(try await read(4, fixture).events == ["1 new", "2 trade", "1 new", "2 trade"])
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func aHangingStreamHasHeartbeats(lies: Bool) async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let hang = BrokerHang(length: Google_Protobuf_Duration(seconds: 2), heartbeatsLie: lies)
            async let told = story(rule(.hang(hang), order: "1"), count: 5, fixture)
            await passHeartbeat(fixture)
            await passHeartbeat(fixture)
            let beat = lies ? "heartbeat 1" : "heartbeat 4"
            #expect(try await told.events == ["1 new", beat, "2 trade", "3 new", "4 trade"])
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (BrokerInjectionPoint.beforeEvent, ["1 new"]), (.afterEvent, ["1 new", "2 trade"]),
        ])
    func disconnects(point: BrokerInjectionPoint, seen: [String]) async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await fixture.setRules([rule(.disconnect(BrokerDisconnect()), order: "1", at: point, attempts: 1...1)])
            _ = try await fixture.place("1")
            while try await fixture.truth().reports.count < 2 { await Task.yield() }
            var events: [String] = []
            let ended = await status {
                try await fixture.broker.streamExecutions(BrokerStreamExecutionsRequest()) { messages in
                    for try await message in messages {
                        guard case .report(let report) = message.event else { continue }
                        events.append("\(report.sequence) \(report.report?.execType ?? .unspecified)")
                    }
                }
            }
            #expect(ended?.code == .unavailable)
            #expect(events == seen)
            // The next stream goes on.
            #expect(try await read(2, fixture).events == ["1 new", "2 trade"])
        }
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (BrokerCursorFault(ignored: true), ["1 new", "2 trade", "3 new", "4 trade"]),
            (BrokerCursorFault(offBy: 1), ["4 trade"]),
            (BrokerCursorFault(offBy: -1), ["2 trade", "3 new", "4 trade"]),
        ])
    func cursors(fault: BrokerCursorFault, seen: [String]) async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let all = try await story(.slowDelivery("none", .fixed(.zero)), count: 4, fixture)
            try await fixture.setRules([rule(.cursor(fault), of: [])])
            #expect(try await read(seen.count, from: all.reports[1].cursor, fixture).events == seen)
        }
    }

    @Test(.timeLimit(.minutes(1))) func replaysSaySoUnlessTold() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let all = try await story(rule(.replayFlagMissing(BrokerReplayFlagMissing())), count: 4, fixture)
            #expect(all.reports.map(\.replayed) == [true, false, true, false])
        }
    }

    @Test(.timeLimit(.minutes(1))) func deliveryFreezesUntilTheRuleIsGone() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            let frozen = BrokerLatency(distribution: .frozen(BrokerFrozen()))
            var rule = BrokerRule.slowDelivery("frozen", frozen)
            rule.when = BrokerSelector(clientOrderID: "1")
            try await fixture.setRules([rule])
            _ = try await fixture.place("1")
            async let told = read(3, fixture)
            // The heartbeat tells of nothing: what is on its way does not exist yet.
            await fixture.clock.waitForSleeper(milliseconds: 1000)
            try await fixture.setRules([])
            #expect(try await told.events == ["heartbeat 0", "1 new", "2 trade"])
        }
    }
}
