import RPCTool
import Testing

@testable import meridian

@Suite struct ArrivalScheduleTests {
    @Test(arguments: [(1, 0, 0), (1, 3, 3_000_000), (3, 1, 333_333), (3, 3, 1_000_000), (300, 45, 150_000)])
    func spacesEvenly(rate: Int, index: Int, microseconds: Int64) {
        let offset = ArrivalSchedule(rate: rate, seconds: 10).offset(of: index)
        let components = offset.components
        #expect(components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 == microseconds)
    }

    /// Rates that do not divide a second do not drift: each second begins with its own arrival.
    @Test func doesNotDrift() {
        let schedule = ArrivalSchedule(rate: 7, seconds: 3600)
        #expect(schedule.count == 25_200)
        for second in 0..<3600 { #expect(schedule.offset(of: second * 7) == .seconds(second)) }
    }
}

@Suite struct OrderTallyTests {
    private func tally(limit: Int = 10) -> OrderTally { OrderTally(outstandingLimit: limit) }

    @Test func measuresFromTheScheduledArrival() {
        var tally = tally()
        _ = tally.arrive("a", scheduled: .seconds(1), isMeasured: true)
        tally.answer("a", at: .seconds(1) + .microseconds(100))
        tally.fill("a", at: .seconds(1) + .microseconds(200))
        #expect(tally.answers.microseconds(atPerMille: 500) == 100)
        #expect(tally.fills.microseconds(atPerMille: 500) == 200)
        #expect((tally.offered, tally.answered, tally.filled) == (1, 1, 1))
        #expect(tally.lastAnswer == .seconds(1) + .microseconds(100))
        #expect(tally.lastFill == .seconds(1) + .microseconds(200))
        #expect(tally.outstanding == 0)
    }

    @Test func takesAFillThatOvertakesTheAnswer() {
        var tally = tally()
        _ = tally.arrive("a", scheduled: .zero, isMeasured: true)
        tally.fill("a", at: .microseconds(50))
        #expect(tally.outstanding == 1)
        tally.answer("a", at: .microseconds(80))
        #expect(tally.outstanding == 0)
        #expect((tally.answered, tally.filled) == (1, 1))
    }

    @Test func countsRepetitionsOnce() {
        var tally = tally()
        _ = tally.arrive("a", scheduled: .zero, isMeasured: true)
        for _ in 0..<3 { tally.answer("a", at: .zero) }
        for _ in 0..<3 { tally.fill("a", at: .zero) }
        tally.fail("a", reason: "LATE")
        tally.fill("unknown", at: .zero)
        #expect((tally.answered, tally.filled, tally.errors) == (1, 1, [:]))
    }

    @Test func dropsWhatIsTooMuch() {
        var tally = tally(limit: 2)
        let first = ["a", "b", "c"].map { tally.arrive($0, scheduled: .zero, isMeasured: true) }
        #expect(first == [true, true, false])
        tally.fail("a", reason: "X")
        let later = tally.arrive("d", scheduled: .zero, isMeasured: true)
        #expect(later)
        #expect((tally.offered, tally.dropped, tally.outstanding) == (4, 1, 2))
    }

    @Test func leavesTheWarmUpOut() {
        var tally = tally()
        _ = tally.arrive("a", scheduled: .zero, isMeasured: false)
        tally.answer("a", at: .seconds(1))
        tally.fill("a", at: .seconds(2))
        #expect((tally.offered, tally.answered, tally.filled) == (0, 0, 0))
        #expect(tally.answers.count == 0)
        #expect(tally.outstanding == 0)
    }

    @Test func tellsWhatItGaveUpOn() {
        var tally = tally()
        for id in ["a", "b", "c"] { _ = tally.arrive(id, scheduled: .zero, isMeasured: true) }
        tally.answer("a", at: .zero)
        tally.abandon()
        #expect(tally.errors == ["NOT_FILLED_IN_TIME": 1, "NOT_ANSWERED_IN_TIME": 2])
        #expect(tally.outstanding == 0)
    }
}
