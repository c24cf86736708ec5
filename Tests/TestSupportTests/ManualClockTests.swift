import Synchronization
import TestSupport
import Testing

private final class Log: Sendable {
    private let entries = Mutex<[Int]>([])
    var seconds: [Int] { entries.withLock { $0 } }
    func append(_ value: Int) { entries.withLock { $0.append(value) } }
}

@Test func aManualClockWakesThoseWhoseTimeHasCome() async throws {
    let clock = ManualClock()
    let log = Log()
    try await withThrowingTaskGroup { group in
        for seconds in [3, 1, 2] {
            group.addTask {
                try await clock.sleep(until: clock.now.advanced(by: .seconds(seconds)))
                log.append(seconds)
            }
        }
        await clock.waitForSleepers(3)
        clock.advance(by: .seconds(2))
        try await group.next()
        try await group.next()
        #expect(log.seconds.sorted() == [1, 2])
        clock.advance(by: .seconds(1))
        try await group.waitForAll()
    }
    #expect(clock.now.offset == .seconds(3))
}

@Test func aCancelledSleeperLeaves() async throws {
    let clock = ManualClock()
    let task = Task { try await clock.sleep(until: clock.now.advanced(by: .seconds(1))) }
    await clock.waitForSleepers(1)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
}

@Test func aSeedGivesOneHistory() {
    var a = SeededGenerator(seed: 42)
    var b = SeededGenerator(seed: 42)
    #expect((0..<10).map { _ in a.next() } == (0..<10).map { _ in b.next() })
}
