/// Counts of latencies in whole microseconds, in buckets whose width grows with the value: exact below 256 µs, above it
/// at most 1/128 (0.8 %) of the value. Memory is fixed, about 32 kB. After HdrHistogram's log-linear buckets.
struct LatencyHistogram: Sendable, Equatable {
    /// The highest value that is told from higher ones: about 19 hours.
    static let highestMicroseconds: UInt64 = (1 << 36) - 1

    private(set) var count = 0
    /// Exact; nil when there is none.
    private(set) var maximumMicroseconds: UInt64?
    private var buckets = [Int](repeating: 0, count: bucket(of: highestMicroseconds) + 1)

    /// Negative latencies count as zero, those above `highestMicroseconds` as that.
    mutating func record(_ latency: Duration) {
        let (seconds, attoseconds) = latency.components
        guard seconds < Int64(Self.highestMicroseconds / 1_000_000) else { return record(Self.highestMicroseconds) }
        record(UInt64(max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)))
    }

    mutating func record(_ microseconds: UInt64) {
        let value = min(microseconds, Self.highestMicroseconds)
        count += 1
        maximumMicroseconds = max(maximumMicroseconds ?? 0, value)
        buckets[Self.bucket(of: value)] += 1
    }

    /// The latency that `perMille` of 1000 stay at or below: the end of its bucket, so never too good. Nil when empty.
    /// - Parameter perMille: 1 to 1000; 999 is p99.9.
    func microseconds(atPerMille perMille: Int) -> UInt64? {
        precondition((1...1000).contains(perMille), "a quantile in thousandths")
        guard let maximumMicroseconds else { return nil }
        let rank = (count * perMille + 999) / 1000
        var seen = 0
        for (index, inBucket) in buckets.enumerated() where inBucket > 0 {
            seen += inBucket
            if seen >= rank { return min(Self.upperEnd(of: index), maximumMicroseconds) }
        }
        return maximumMicroseconds
    }

    /// Values below 256 have a bucket each; above, each power of two has 128.
    private static func bucket(of value: UInt64) -> Int {
        let shift = max(0, 56 - value.leadingZeroBitCount)
        return (shift << 7) + Int(value >> UInt64(shift))
    }

    /// The highest value in a bucket.
    private static func upperEnd(of bucket: Int) -> UInt64 {
        let shift = max(0, (bucket >> 7) - 1)
        return (UInt64(bucket - (shift << 7) + 1) << UInt64(shift)) - 1
    }
}
