import Domain
import Testing

@testable import Trading

struct ResendBudgetTests {
    private let start = UnixTime(seconds: 1000)

    @Test func aBurstIsLetThroughThenARate() {
        var budget = ResendBudget(burst: 3, interval: .seconds(1))
        var taken = (0..<5).map { _ in budget.take(at: start) }
        #expect(taken == [true, true, true, false, false])
        taken = (0..<2).map { _ in budget.take(at: start + .milliseconds(1500)) }
        #expect(taken == [true, false])
        // The half second that was left over counts.
        taken = (0..<2).map { _ in budget.take(at: start + .milliseconds(2000)) }
        #expect(taken == [true, false])
    }

    @Test func itNeverHoldsMoreThanItsBurst() {
        var budget = ResendBudget(burst: 2, interval: .seconds(1))
        let first = budget.take(at: start)
        let later = (0..<4).map { _ in budget.take(at: start + .seconds(86_400)) }
        #expect(first)
        #expect(later == [true, true, false, false])
    }

    @Test func aClockThatGoesBackGivesNothing() {
        var budget = ResendBudget(burst: 1, interval: .seconds(1))
        let taken = [
            budget.take(at: start), budget.take(at: start - .seconds(10)), budget.take(at: start + .seconds(1)),
        ]
        #expect(taken == [true, false, true])
    }
}
