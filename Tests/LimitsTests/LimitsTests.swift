import Limits
import Testing

@Test func aDeadlineOnlyShrinks() async {
    await Deadline.within(.seconds(1)) {
        let outer = Deadline.current
        await Deadline.within(.seconds(60)) { #expect(Deadline.current == outer) }
        await Deadline.within(.milliseconds(1)) { #expect(Deadline.current! < outer!) }
        #expect(Deadline.current == outer)
    }
    #expect(Deadline.current == nil)
}

@Test func deadlineScopeKeepsTheErrorType() async {
    struct Refused: Error {}
    await #expect(throws: Refused.self) {
        try await Deadline.within(.seconds(1)) { () async throws(Refused) in throw Refused() }
    }
}

@Test(arguments: [(1, 100), (2, 200), (3, 400), (4, 500), (40, 500)])
func backoffGrowsToItsCap(attempt: Int, milliseconds: Int) {
    let backoff = Backoff(initial: .milliseconds(100), maximum: .milliseconds(500), jitterPercent: 0)
    #expect(backoff.delay(afterAttempt: attempt, random: 7) == .milliseconds(milliseconds))
}

@Test func jitterStaysInItsBand() {
    let backoff = Backoff(initial: .seconds(1), maximum: .seconds(60), jitterPercent: 20)
    var generator = SystemRandomNumberGenerator()
    var seen: Set<Duration> = []
    for _ in 0..<1000 {
        let delay = backoff.delay(afterAttempt: 1, random: generator.next())
        #expect(delay >= .milliseconds(800) && delay <= .milliseconds(1200))
        seen.insert(delay)
    }
    #expect(seen.count > 100)
    #expect(backoff.delay(afterAttempt: 3, random: 5) == backoff.delay(afterAttempt: 3, random: 5))
}

@Test func retriesStopWhenHalfTheBudgetIsSpent() {
    var budget = RetryBudget(capacity: 10)
    for _ in 0..<4 { budget.recordFailure() }
    #expect(budget.allowsRetry)
    budget.recordFailure()
    #expect(!budget.allowsRetry)
    budget.recordSuccess()
    #expect(budget.allowsRetry)
}

@Test func aSuccessGivesBackItsShare() {
    var budget = RetryBudget(capacity: 4, returnedThousandths: 400)
    for _ in 0..<2 { budget.recordFailure() }
    #expect(!budget.allowsRetry)
    budget.recordSuccess()
    #expect(budget.allowsRetry)
    for _ in 0..<100 { budget.recordSuccess() }
    // Never more than full: half is gone after two failures.
    for _ in 0..<2 { budget.recordFailure() }
    #expect(!budget.allowsRetry)
}

@Test func aFullQueueRefusesAndKeepsItsContent() {
    var queue = BoundedQueue<Int>(capacity: 2)
    let accepted = (1...3).map { queue.append($0) }
    #expect(accepted == [true, true, false])
    let first = queue.popFirst()
    #expect(first == 1)
    let refilled = queue.append(3)
    #expect(refilled)
    let removed = queue.removeFirst(where: { $0 == 3 })
    #expect(removed == 3)
    let rest = queue.drain()
    #expect(rest == [2])
    #expect(queue.isEmpty)
}
