import Testing

@testable import FillReceiver

private let start = ContinuousClock.now
private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }
private let patience = Duration.milliseconds(100)

@Test func aStoreThatStaysBehindIsBehindAfterThePatience() {
    var sight = FeedSight(at: start)
    sight.stored(upTo: 4, at: at(0))
    sight.heard(of: 5, at: at(10))
    sight.heard(of: 5, at: at(60))
    #expect(!sight.isBehind(for: patience, at: at(109)))
    #expect(sight.isBehind(for: patience, at: at(110)))
    sight.fetched(at: at(120))
    #expect(!sight.isBehind(for: patience, at: at(219)))
    #expect(sight.isBehind(for: patience, at: at(220)))
    sight.stored(upTo: 5, at: at(230))
    #expect(!sight.isBehind(for: patience, at: at(1000)))
}

/// The store is always one report behind and always moves on: no gap, however long it lasts.
@Test func aBusyFeedIsNotBehind() {
    var sight = FeedSight(at: start)
    for step in 1...1000 {
        sight.heard(of: Int64(step + 1), at: at(step * 10))
        sight.stored(upTo: Int64(step), at: at(step * 10 + 5))
        #expect(!sight.isBehind(for: patience, at: at(step * 10 + 9)))
    }
}

@Test func lateAndOldNewsMoveNothingBack() {
    var sight = FeedSight(at: start)
    sight.heard(of: 9, at: at(0))
    sight.heard(of: 3, at: at(1))
    #expect(sight.brokerSequence == 9 && sight.lastEvent == at(1))
    sight.stored(upTo: 12, at: at(2))
    sight.stored(upTo: 2, at: at(3))
    #expect(sight.storedSequence == 12 && sight.brokerSequence == 12 && sight.awaited == nil)
}
