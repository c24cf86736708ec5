internal import EventLoop
internal import Limits

/// A lease on a name, shared by all who use the same server: it keeps contenders apart as long as its time lasts.
///
/// It reduces contention; it does not make anything correct. A holder that was paused longer than the lease, or a
/// server that lost its last second, leaves two holders. What must be correct needs a condition where the data lives:
/// the row's version. `fence` only orders the holders of one server's life.
public struct RedisLock: Sendable, Hashable {
    /// How an attempt to take a lock ended.
    public enum Outcome: Sendable {
        case acquired(RedisLock)
        /// Others held it all the time.
        case busy
        /// Nothing is known about the lock: the server was not reached, refused, or the task was cancelled. Go on
        /// without it if correctness does not rest on it.
        case unavailable(RedisError)
    }

    /// How a release ended.
    public enum Release: Sendable, Hashable {
        case released
        /// It had expired before; another may have held it since.
        case wasLost
        /// The server was not reached: the lock ends with its lease.
        case unavailable(RedisError)
    }

    /// The name; the keys in the server are `lk:{name}` and `fence:{name}`.
    public let name: String
    /// Random; tells this holder from all others.
    public let token: String
    /// Grows with every acquisition of this name, at least 1, as long as the server keeps its data.
    public let fence: Int64
    /// Until when the lock is surely held, if its holder's clock runs at most one percent slow: counted from before the
    /// request left.
    public let expiresAt: ContinuousClock.Instant

    /// What is left of the lease at `instant`; zero when it may be over.
    public func remaining(at instant: ContinuousClock.Instant = .now) -> Duration {
        max(.zero, instant.duration(to: expiresAt))
    }

    public func isStillHeld(at instant: ContinuousClock.Instant = .now) -> Bool { instant < expiresAt }

    fileprivate static let acquireScript = RedisScript(
        """
        if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
            return {redis.call('INCR', KEYS[2]), 0}
        end
        return {0, redis.call('PTTL', KEYS[1])}
        """)
    fileprivate static let releaseScript = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)
    fileprivate static let extendScript = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        return 0
        """)
    /// Delays between attempts: jittered, so that waiters do not come together.
    fileprivate static let retry = Backoff(
        initial: .milliseconds(4), factorPercent: 160, maximum: .milliseconds(64), jitterPercent: 50)

    fileprivate var key: String { "lk:{\(name)}" }
    fileprivate var fenceKey: String { "fence:{\(name)}" }

    fileprivate static func end(of ttl: Duration, from start: ContinuousClock.Instant) -> ContinuousClock.Instant {
        start + ttl - ttl / 100 - .milliseconds(2)
    }
}

extension RedisClient {
    /// Takes the lock `name`, waiting at most `wait` and no longer than `Deadline.current` while others hold it.
    ///
    /// - Parameters:
    ///   - ttl: the lease, 5 ms to one day; longer than the work takes, with the work's own time-out below it.
    ///   - wait: zero means one attempt.
    public func acquireLock(_ name: String, ttl: Duration, wait: Duration = .zero) async -> RedisLock.Outcome {
        precondition(ttl >= .milliseconds(5) && ttl <= .seconds(86_400), "a lease takes 5 ms to one day")
        let lane = self.lane
        return await lane.loop.perform {
            await Deadline.within(wait + limits.commandTimeout) {
                await acquireLock(name, ttl, until: min(.now + wait, Deadline.current?.instant ?? .now), on: lane)
            }
        }
    }

    /// Gives the lock up if it is still this holder's, never another's.
    @discardableResult
    public func releaseLock(_ lock: RedisLock) async -> RedisLock.Release {
        let lane = self.lane
        do throws(RedisError) {
            let answer = try await RedisLock.releaseScript.run(
                keys: [lock.key], arguments: [.text(lock.token)], on: self, lane: lane)
            return answer == .integer(1) ? .released : .wasLost
        } catch {
            return .unavailable(error)
        }
    }

    /// Lets the lease last `ttl` from now; nil when the lock was lost.
    public func extendLock(_ lock: RedisLock, ttl: Duration) async throws(RedisError) -> RedisLock? {
        let start = ContinuousClock.now
        let answer = try await RedisLock.extendScript.run(
            keys: [lock.key], arguments: [.text(lock.token), .integer(ttl.wholeMilliseconds)], on: self)
        guard answer == .integer(1) else { return nil }
        return RedisLock(
            name: lock.name, token: lock.token, fence: lock.fence, expiresAt: RedisLock.end(of: ttl, from: start))
    }

    /// Runs `body` with the outcome of an attempt to take the lock, and releases what was taken when `body` ends.
    ///
    /// `body` decides what to do when the lock is busy or nothing is known about it.
    public func withLock<Result, Failure: Error>(
        _ name: String, ttl: Duration, wait: Duration = .zero,
        _ body: (RedisLock.Outcome) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let outcome = await acquireLock(name, ttl: ttl, wait: wait)
        guard case .acquired(let lock) = outcome else { return try await body(outcome) }
        do throws(Failure) {
            let result = try await body(outcome)
            await releaseLock(lock)
            return result
        } catch {
            await releaseLock(lock)
            throw error
        }
    }

    private func acquireLock(
        _ name: String, _ ttl: Duration, until end: ContinuousClock.Instant, on lane: RedisLane
    ) async -> RedisLock.Outcome {
        let token =
            String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
        var attempt = 0
        while true {
            attempt += 1
            let start = ContinuousClock.now
            let lock = RedisLock(
                name: name, token: token, fence: 0, expiresAt: RedisLock.end(of: ttl, from: start))
            do throws(RedisError) {
                let held = try await tryLock(lock, ttl, on: lane)
                if held.fence > 0 {
                    return .acquired(
                        RedisLock(name: name, token: token, fence: held.fence, expiresAt: lock.expiresAt))
                }
                let delay = min(
                    RedisLock.retry.delay(afterAttempt: attempt, random: .random(in: .min ... .max)),
                    // It is free at the latest when the holder's lease ends.
                    .milliseconds(max(1, held.millisecondsLeft)))
                guard start + delay <= end else { return .busy }
                try await Self.pause(delay)
            } catch {
                // It may be ours without our knowing: give it up behind the attempt, without waiting for the answer.
                if error.certainty == .unknown {
                    lane.runUnattended([
                        "EVAL", .text(RedisLock.releaseScript.source), 1, .text(lock.key), .text(lock.token),
                    ])
                }
                return .unavailable(error)
            }
        }
    }

    private static func pause(_ delay: Duration) async throws(RedisError) {
        do {
            try await Task.sleep(for: delay)
        } catch {
            throw RedisError(.cancelled, "the wait for a lock was cancelled")
        }
    }

    private func tryLock(
        _ lock: RedisLock, _ ttl: Duration, on lane: RedisLane
    ) async throws(RedisError) -> (fence: Int64, millisecondsLeft: Int64) {
        let answer = try await RedisLock.acquireScript.run(
            keys: [lock.key, lock.fenceKey], arguments: [.text(lock.token), .integer(ttl.wholeMilliseconds)],
            on: self, lane: lane)
        guard let numbers = answer.elements?.compactMap(\.integer), numbers.count == 2 else {
            throw RedisError(.unexpectedReply, "the lock script gave no two numbers", certainty: .unknown)
        }
        return (numbers[0], numbers[1])
    }
}
