import EventLoop
import Limits
import Redis
import TestSupport
import Testing

extension RedisLock.Outcome {
    var lock: RedisLock? {
        if case .acquired(let lock) = self { lock } else { nil }
    }
    var isBusy: Bool {
        if case .busy = self { true } else { false }
    }
    var error: RedisError? {
        if case .unavailable(let error) = self { error } else { nil }
    }
}

@Test func oneHoldsAndOthersAreTold() async throws {
    try await withClient { client, name async throws in
        let lease = Duration.seconds(600)
        let asked = ContinuousClock.now
        let lock = try #require(await client.acquireLock(name, ttl: lease).lock)
        let told = ContinuousClock.now
        // The lease counts from some time between the two, less what a slow clock may be wrong by.
        #expect(lock.fence == 1 && lock.isStillHeld(at: told))
        #expect(lock.remaining(at: told) < lease && lock.remaining(at: asked) > lease - lease / 90)
        #expect(!lock.isStillHeld(at: told + lease) && lock.remaining(at: told + lease) == .zero)
        #expect(await client.acquireLock(name, ttl: lease).isBusy)
        #expect(await client.acquireLock(name, ttl: lease, wait: .milliseconds(20)).isBusy)
        #expect(await client.releaseLock(lock) == .released)
        #expect(await client.releaseLock(lock) == .wasLost)
        #expect(await client.acquireLock(name, ttl: lease).lock?.fence == 2)
    }
}

@Test func anExpiredHolderCannotReleaseItsSuccessor() async throws {
    try await withClient { client, name async throws in
        let first = try #require(await client.acquireLock(name, ttl: .milliseconds(5)).lock)
        let second = try #require(await client.acquireLock(name, ttl: .seconds(10), wait: .seconds(2)).lock)
        #expect(!first.isStillHeld() && second.fence == first.fence + 1)
        #expect(await client.releaseLock(first) == .wasLost)
        #expect(try await client.extendLock(first, ttl: .seconds(10)) == nil)
        #expect(await client.acquireLock(name, ttl: .seconds(10)).isBusy)
        let extended = try #require(try await client.extendLock(second, ttl: .seconds(60)))
        #expect(extended.remaining() > .seconds(58) && extended.fence == second.fence)
    }
}

@Test func waitersTakeTurnsAndNeverMeet() async throws {
    try await withClient { client, name async throws in
        let inside = Counter()
        let turns = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10 {
                        await client.withLock(name, ttl: .seconds(10), wait: .seconds(10)) { outcome in
                            guard outcome.lock != nil else { return }
                            let number = inside.increment()
                            await Task.yield()
                            if inside.value == number { turns.increment() }
                        }
                    }
                }
            }
        }
        #expect(inside.value == 80 && turns.value == 80)
    }
}

@Test func aLockWithoutServerIsUnavailable() async throws {
    let server = try await PrivateRedis.start()
    try await withClient(server: server) { client, name async throws in
        let lock = try #require(await client.acquireLock(name, ttl: .seconds(10)).lock)
        server.freeze()
        let outcome = await Deadline.within(.milliseconds(30)) {
            await client.acquireLock("\(name):other", ttl: .seconds(9))
        }
        #expect(outcome.error?.reason == .deadlineExceeded)
        server.thaw()
        // What the attempt took behind our back, its own release has given up again.
        #expect(await client.acquireLock("\(name):other", ttl: .seconds(10), wait: .seconds(2)).lock != nil)
        try await server.stop()
        #expect(await client.acquireLock(name, ttl: .seconds(10), wait: .seconds(1)).error != nil)
        guard case .unavailable = await client.releaseLock(lock) else {
            Issue.record("released without a server")
            return
        }
    }
}

@Test func aCancelledWaitEnds() async throws {
    try await withClient { client, name async throws in
        _ = try #require(await client.acquireLock(name, ttl: .seconds(10)).lock)
        let waiting = Task { await client.acquireLock(name, ttl: .seconds(10), wait: .seconds(60)) }
        waiting.cancel()
        #expect(await waiting.value.error?.reason == .cancelled)
    }
}

@Test func aLockIsReleasedWhenTheBodyThrows() async throws {
    struct Failure: Error {}
    try await withClient { client, name async throws in
        await #expect(throws: Failure.self) {
            try await client.withLock(name, ttl: .seconds(10)) { _ in throw Failure() }
        }
        #expect(await client.acquireLock(name, ttl: .seconds(10)).lock != nil)
    }
}
