import Contracts
import Protobuf
import Testing

@testable import FillReceiver

private func delivery(_ sequence: Int64, exec: String, text: String = "") -> BrokerSequencedReport {
    BrokerSequencedReport(
        sequence: sequence, cursor: "c\(sequence)",
        report: BrokerExecutionReport(execID: exec, clientOrderID: "o-\(exec)", text: text))
}

private let empty = StorePlan.Feed(cursor: "", storedSequence: 0, lastReceiverSequence: 0, appliedReceiverSequence: 0)

@Test func newExecutionsAreNumberedWithoutGaps() {
    let plan = StorePlan(feed: empty, known: [:], deliveries: [delivery(1, exec: "a"), delivery(2, exec: "b")])
    #expect(plan.new.map(\.receiverSequence) == [1, 2])
    #expect(plan.new.map(\.execID) == ["a", "b"])
    #expect(plan.feed.cursor == "c2" && plan.feed.storedSequence == 2 && plan.feed.lastReceiverSequence == 2)
    #expect(!plan.hasGap && plan.repeats.isEmpty && plan.conflicts.isEmpty)
}

@Test func aFillDeliveredThreeTimesIsStoredOnce() {
    let copies = [delivery(1, exec: "a"), delivery(1, exec: "a"), delivery(1, exec: "a")]
    let plan = StorePlan(feed: empty, known: [:], deliveries: copies)
    #expect(plan.new.count == 1)
    #expect(plan.repeats == ["a": StorePlan.Repeats(duplicates: 2, conflicts: 0)])
    let again = StorePlan(feed: plan.feed, known: ["a": plan.new[0].report], deliveries: [delivery(1, exec: "a")])
    #expect(again.new.isEmpty && again.feed == plan.feed && again.repeats["a"]?.duplicates == 1)
}

@Test func otherContentUnderAKnownIdIsKeptAsideAndNeverApplied() {
    let first = delivery(1, exec: "a", text: "one")
    let plan = StorePlan(feed: empty, known: [:], deliveries: [first, delivery(2, exec: "a", text: "two")])
    #expect(plan.new.map(\.report) == [first.report!.encoded()])
    #expect(
        plan.conflicts == [
            StorePlan.Conflict(execID: "a", report: delivery(2, exec: "a", text: "two").report!.encoded())
        ])
    #expect(plan.repeats["a"] == StorePlan.Repeats(duplicates: 0, conflicts: 1))
}

@Test func theCursorNeverSkipsAGapAndNeverMovesBack() {
    let plan = StorePlan(
        feed: empty, known: [:],
        deliveries: [delivery(1, exec: "a"), delivery(3, exec: "c"), delivery(4, exec: "d")])
    #expect(plan.new.map(\.execID) == ["a", "c", "d"])
    #expect(plan.hasGap && plan.feed.cursor == "c1" && plan.feed.storedSequence == 1)
    // The gap is fetched from the cursor: what came early comes again and is only counted.
    let known = Dictionary(uniqueKeysWithValues: plan.new.map { ($0.execID, $0.report) })
    let fetched = StorePlan(
        feed: plan.feed, known: known,
        deliveries: [delivery(2, exec: "b"), delivery(3, exec: "c"), delivery(4, exec: "d")])
    #expect(fetched.new.map(\.execID) == ["b"])
    #expect(fetched.feed.cursor == "c4" && fetched.feed.storedSequence == 4 && !fetched.hasGap)
    let old = StorePlan(feed: fetched.feed, known: known, deliveries: [delivery(1, exec: "a")])
    #expect(old.feed == fetched.feed)
}

/// Any order, any repetition, any batches: the same executions are stored, once each, and the cursor ends at the last.
@Test(arguments: 1...20 as ClosedRange<UInt64>)
func anyArrivalGivesTheSameStore(seed: UInt64) {
    var random = SplitMix(state: seed)
    let all = (1...30).map { delivery(Int64($0), exec: "e\($0)") }
    var feed = empty
    var stored: [String: [UInt8]] = [:]
    var arrivals = all.flatMap { [$0, $0] }.shuffled(using: &random)
    func take(_ batch: [BrokerSequencedReport]) {
        let plan = StorePlan(feed: feed, known: stored, deliveries: batch)
        #expect(plan.feed.storedSequence >= feed.storedSequence)
        for new in plan.new { #expect(stored.updateValue(new.report, forKey: new.execID) == nil) }
        feed = plan.feed
    }
    while !arrivals.isEmpty {
        let count = min(arrivals.count, Int.random(in: 1...7, using: &random))
        take(Array(arrivals.prefix(count)))
        arrivals.removeFirst(count)
    }
    // Fetching from the cursor always closes what is open.
    take(all.filter { $0.sequence > feed.storedSequence })
    #expect(feed.storedSequence == 30 && feed.cursor == "c30" && feed.lastReceiverSequence == 30, "seed \(seed)")
    #expect(stored.count == 30, "seed \(seed)")
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
