internal import Synchronization

/// How often each customer may call: a token bucket for each, refilled steadily.
///
/// Remembers at most `customerLimit` customers; when full, it forgets those whose buckets are full again, and if there
/// are none, a newcomer is refused like somebody who calls too often.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Int64
        var filled: ContinuousClock.Instant
    }

    private let buckets = Mutex<[String: Bucket]>([:])
    private let perSecond: Int64
    private let burst: Int64
    private let customerLimit: Int

    init(perSecond: Int, burst: Int, customerLimit: Int = 100_000) {
        precondition(perSecond > 0 && burst > 0 && customerLimit > 0, "a rate limit lets somebody through")
        self.perSecond = Int64(perSecond)
        self.burst = Int64(burst)
        self.customerLimit = customerLimit
    }

    /// Takes one token of `customer`, or says after how long there will be one.
    func take(_ customer: String, at now: ContinuousClock.Instant) -> Duration? {
        buckets.withLock { buckets in
            if buckets[customer] == nil, buckets.count >= customerLimit {
                buckets = buckets.filter { refilled($0.value, at: now).tokens < burst }
                guard buckets.count < customerLimit else { return .seconds(1) }
            }
            var bucket = refilled(buckets[customer] ?? Bucket(tokens: burst, filled: now), at: now)
            guard bucket.tokens > 0 else { return .seconds(1) / Int(perSecond) }
            bucket.tokens -= 1
            buckets[customer] = bucket
            return nil
        }
    }

    private func refilled(_ bucket: Bucket, at now: ContinuousClock.Instant) -> Bucket {
        let (seconds, attoseconds) = bucket.filled.duration(to: now).components
        guard seconds < 1000 else { return Bucket(tokens: burst, filled: now) }
        let earned = seconds * perSecond + attoseconds / (1_000_000_000_000_000_000 / perSecond)
        guard earned > 0 else { return bucket }
        return Bucket(
            tokens: min(burst, bucket.tokens + earned),
            filled: bucket.filled + .nanoseconds(earned * (1_000_000_000 / perSecond)))
    }
}
