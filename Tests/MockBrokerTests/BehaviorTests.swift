import MockBroker
import Testing

@Suite struct BehaviorTests {
    private static let wrong: [(String, @Sendable (inout Behavior) -> Void)] = [
        ("reply_latency.minimum_milliseconds", { $0.replyLatency.minimumMilliseconds = -1 }),
        ("reply_latency.maximum_milliseconds", { $0.replyLatency.minimumMilliseconds = 1 }),
        ("fill_latency.maximum_milliseconds", { $0.fillLatency.maximumMilliseconds = 86_400_001 }),
        ("feed_latency.minimum_milliseconds", { $0.feedLatency.minimumMilliseconds = -5 }),
        ("cancel_latency.maximum_milliseconds", { $0.cancelLatency.maximumMilliseconds = -5 }),
        ("lost_reply_per_10000", { $0.lostReplyPer10000 = 10_001 }),
        ("lost_reply_per_10000", { $0.lostReplyPer10000 = -1 }),
        ("lost_request_per_10000", { $0.lostRequestPer10000 = .max }),
        ("lose_first_replies", { $0.loseFirstReplies = -1 }),
        ("fill_copies", { $0.fillCopies = 1001 }),
        ("fill_parts", { $0.fillParts = .min }),
        ("visibility_delay_milliseconds", { $0.visibilityDelayMilliseconds = .min }),
    ]

    @Test(arguments: wrong.indices)
    func refusesNonsenseWithItsPath(index: Int) {
        var behavior = Behavior()
        Self.wrong[index].1(&behavior)
        do {
            try behavior.validate()
            Issue.record("accepted \(Self.wrong[index].0)")
        } catch {
            #expect(error.path == Self.wrong[index].0)
        }
        let desk = Desk()
        #expect(throws: BrokerRefusal.self) { try desk.book.setBehavior(behavior, .control, at: desk.now) }
    }

    @Test func takesTheGreatestSensibleValues() throws {
        var behavior = Behavior()
        behavior.replyLatency = .init(minimumMilliseconds: 0, maximumMilliseconds: 86_400_000)
        behavior.lostReplyPer10000 = 10_000
        behavior.fillCopies = 1000
        try behavior.validate()
    }
}
