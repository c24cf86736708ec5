import EventLoop
import Testing

@Test func aTaskStaysOnTheLoopAcrossSuspensions() async throws {
    let loop = try EventLoop(name: "test")
    let onLoop = await loop.run {
        var seen: [Bool] = [loop.isCurrent]
        await Task.yield()
        seen.append(loop.isCurrent)
        await suspended()
        seen.append(EventLoop.current === loop)
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { loop.isCurrent }
            for await inside in group { seen.append(inside) }
        }
        return seen
    }
    #expect(onLoop == [true, true, true, true])
    #expect(EventLoop.current == nil)
    loop.shutDown()
}

private func suspended() async {
    await withCheckedContinuation { continuation in continuation.resume() }
}

@Test func timersFireInOrderAndCancelledOnesNever() async throws {
    let loop = try EventLoop(name: "test")
    let fired = await loop.run {
        await withCheckedContinuation { (continuation: CheckedContinuation<[Int], Never>) in
            let start = ContinuousClock.now
            var fired: [Int] = []
            var timers: [LoopTimer] = []
            for index in 0..<50 {
                timers.append(
                    loop.schedule(at: start + .microseconds(200 * ((index * 7) % 50))) { fired.append(index) })
            }
            for index in stride(from: 0, to: 50, by: 2) { loop.cancel(timers[index]) }
            _ = loop.schedule(at: start + .milliseconds(11)) { continuation.resume(returning: fired) }
        }
    }
    #expect(fired == (0..<50).filter { $0 % 2 == 1 }.sorted { ($0 * 7) % 50 < ($1 * 7) % 50 })
    loop.shutDown()
}
