/// Counts of latencies in whole microseconds, in buckets whose width grows with the value: exact below 256 µs, above it
/// at most 1/128 (0.8 %) of the value. Memory is fixed, about 32 kB. After HdrHistogram's log-linear buckets.
package struct LatencyHistogram: Sendable, Equatable {
    /// The highest value that is told from higher ones: about 19 hours.
    package static let highestMicroseconds: UInt64 = (1 << 36) - 1

    package private(set) var count = 0
    /// Exact; nil when there is none.
    package private(set) var minimumMicroseconds: UInt64?
    /// Exact; nil when there is none.
    package private(set) var maximumMicroseconds: UInt64?
    /// Of the same values that are counted in the buckets; a million years fit.
    private var sumMicroseconds: UInt64 = 0
    private var buckets = [Int](repeating: 0, count: bucket(of: highestMicroseconds) + 1)

    package init() {}

    /// The mean of all values, exact to a microsecond; nil when there is none.
    package var meanMicroseconds: UInt64? { count == 0 ? nil : sumMicroseconds / UInt64(count) }

    /// Negative latencies count as zero, those above `highestMicroseconds` as that.
    package mutating func record(_ latency: Duration) {
        let (seconds, attoseconds) = latency.components
        guard seconds < Int64(Self.highestMicroseconds / 1_000_000) else { return record(Self.highestMicroseconds) }
        record(UInt64(max(0, seconds * 1_000_000 + attoseconds / 1_000_000_000_000)))
    }

    package mutating func record(_ microseconds: UInt64) {
        let value = min(microseconds, Self.highestMicroseconds)
        count += 1
        sumMicroseconds += value
        minimumMicroseconds = min(minimumMicroseconds ?? value, value)
        maximumMicroseconds = max(maximumMicroseconds ?? 0, value)
        buckets[Self.bucket(of: value)] += 1
    }

    /// The latency that `perMille` of 1000 stay at or below: the end of its bucket, so never too good. Nil when empty.
    /// - Parameter perMille: 1 to 1000; 999 is p99.9.
    package func microseconds(atPerMille perMille: Int) -> UInt64? {
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

    /// How many values are at most 1, 3, 7, 15, ... µs and above the limit before: for a picture. The counts add up to
    /// `count`; empty ends are left out.
    package var powersOfTwo: [(atMostMicroseconds: UInt64, count: Int)] {
        var rows: [(atMostMicroseconds: UInt64, count: Int)] = []
        var limit: UInt64 = 1
        for (index, inBucket) in buckets.enumerated() where inBucket > 0 {
            // Buckets never cross a power of two, which itself is the first value of the next.
            while Self.upperEnd(of: index) >= limit { limit *= 2 }
            if rows.last?.atMostMicroseconds == limit - 1 {
                rows[rows.count - 1].count += inBucket
            } else {
                rows.append((limit - 1, inBucket))
            }
        }
        return rows
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
