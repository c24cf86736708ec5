import Domain
import Limits
import Logging
import Redis
import ServiceKit
import Synchronization

/// The locks of accounts between processes: leases in Redis that end by themselves.
///
/// They only keep processes from losing the compare-and-set to each other. So whenever a lock is not to be had in time
/// (Redis is gone, slow, or another holder keeps it), the operation goes on without it.
final class AccountLocks: Sendable {
    /// How long Redis is left alone after it did not answer, so that an outage costs few operations its time-out.
    private static let rest: Duration = .milliseconds(500)

    private let redis: RedisClient?
    private let configuration: AccountsConfiguration
    private let metrics: AccountsMetrics
    private let log: Logger
    private let restsUntil = Mutex<ContinuousClock.Instant?>(nil)

    init(
        redis: RedisClient?, configuration: AccountsConfiguration, metrics: AccountsMetrics, log: Logger
    ) {
        self.redis = redis
        self.configuration = configuration
        self.metrics = metrics
        self.log = log
    }

    /// Runs `body` under the lock of `account`, or tells it that the lock is not held.
    func withLock<Result>(
        _ account: AccountID, _ body: (_ isHeld: Bool) async throws -> Result
    ) async throws -> Result {
        guard let redis, let lock = await acquire(account, redis) else { return try await body(false) }
        do {
            let result = try await body(true)
            await release(lock, redis)
            return result
        } catch {
            await release(lock, redis)
            throw error
        }
    }

    private func acquire(_ account: AccountID, _ redis: RedisClient) async -> RedisLock? {
        guard !isResting else {
            metrics.lockUnavailable.increment()
            return nil
        }
        let name = "account:\(configuration.ledger):\(account)"
        // The first look has to be quick; only an answer that others hold the lock is worth waiting for.
        var outcome = await attempt(name, redis, wait: .zero)
        if case .busy = outcome { outcome = await attempt(name, redis, wait: configuration.lockWait) }
        switch outcome {
        case .acquired(let lock):
            return lock
        case .busy:
            metrics.lockWaitExpired.increment()
            return nil
        case .unavailable(let error):
            metrics.lockUnavailable.increment()
            if !Task.isCancelled { leaveAlone(because: error) }
            return nil
        }
    }

    private func attempt(_ name: String, _ redis: RedisClient, wait: Duration) async -> RedisLock.Outcome {
        await Deadline.within(wait + configuration.lockAnswerWait) {
            await redis.acquireLock(name, ttl: configuration.lockTimeToLive, wait: wait)
        }
    }

    private func release(_ lock: RedisLock, _ redis: RedisClient) async {
        let outcome = await Deadline.within(configuration.lockAnswerWait) { await redis.releaseLock(lock) }
        switch outcome {
        case .released: break
        case .wasLost: metrics.lockLost.increment()
        case .unavailable(let error): if !Task.isCancelled { leaveAlone(because: error) }
        }
    }

    private var isResting: Bool { restsUntil.withLock { $0.map { .now < $0 } ?? false } }

    private func leaveAlone(because error: RedisError) {
        let end = ContinuousClock.now + Self.rest
        restsUntil.withLock { $0 = max($0 ?? end, end) }
        log.warning("locks.abandoned", metadata: ["error": "\(error)"])
    }
}
