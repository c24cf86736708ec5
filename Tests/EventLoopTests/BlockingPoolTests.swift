import EventLoop
import Glibc
import Synchronization
import Testing

@Test func blockingCallsRunOffTheLoop() async throws {
    let loop = try EventLoop(name: "test")
    let onLoop = try await loop.run {
        let inside = try await BlockingPool.shared.run { EventLoop.current != nil }
        return [inside, loop.isCurrent]
    }
    #expect(onLoop == [false, true])
    loop.shutDown()
}

@Test func aFullBlockingPoolRefuses() async throws {
    let pool = BlockingPool(threads: 1, capacity: 1)
    let (started, startedContinuation) = AsyncStream.makeStream(of: Void.self)
    let gate = Mutex(false)
    let occupied = pool.submit {
        startedContinuation.finish()
        while !gate.withLock({ $0 }) { sched_yield() }
    }
    for await _ in started {}
    let queued = pool.submit {}
    let refused = !pool.submit {}
    #expect(occupied && queued && refused)
    gate.withLock { $0 = true }
}

@Test func aTaskKnowsItsHome() async throws {
    let loop = try EventLoop(name: "test")
    let other = try EventLoop(name: "other")
    let seen = await loop.perform {
        let atHome = loop.isHomeOfCurrentTask
        let elsewhere = other.isHomeOfCurrentTask
        let direct = await loop.perform { loop.isCurrent }
        let hopped = await other.perform { other.isHomeOfCurrentTask && !loop.isCurrent }
        return [atHome, !elsewhere, direct, hopped, loop.isCurrent]
    }
    #expect(seen == [true, true, true, true, true])
    #expect(!loop.isHomeOfCurrentTask)
    loop.shutDown()
    other.shutDown()
}
