import Testing

@testable import RPCTool

@Suite struct LatencyHistogramTests {
    @Test func isEmptyAtFirst() {
        let histogram = LatencyHistogram()
        #expect(histogram.count == 0)
        #expect(histogram.microseconds(atPerMille: 500) == nil)
        #expect(histogram.maximumMicroseconds == nil)
    }

    @Test func isExactForSmallValues() {
        var histogram = LatencyHistogram()
        for value in UInt64(1)...200 { histogram.record(value) }
        #expect(histogram.microseconds(atPerMille: 1) == 1)
        #expect(histogram.microseconds(atPerMille: 500) == 100)
        #expect(histogram.microseconds(atPerMille: 990) == 198)
        #expect(histogram.microseconds(atPerMille: 1000) == 200)
    }

    /// Alone, a value comes back with an error of at most 1 %, never below itself.
    @Test func errsByOnePercentAtMostAtEveryPowerOfTwo() {
        for power in 0..<36 {
            for offset: Int64 in [-1, 0, 1] {
                let value = UInt64(max(0, Int64(1) << Int64(power) + offset))
                var histogram = LatencyHistogram()
                histogram.record(value)
                // A far higher value beside it keeps the exact maximum from correcting the bucket.
                histogram.record(LatencyHistogram.highestMicroseconds)
                guard let found = histogram.microseconds(atPerMille: 500) else {
                    Issue.record("nothing found for \(value)")
                    continue
                }
                #expect(found >= value)
                #expect(found - value <= value / 100 + (value < 256 ? 0 : 1), "\(value) came back as \(found)")
            }
        }
    }

    @Test(arguments: [7, 11, 2026] as [UInt64])
    func agreesWithASortedList(seed: UInt64) throws {
        var state = seed
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<5000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = (state >> 33) >> (state >> 11 & 31)
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        #expect(histogram.count == values.count)
        #expect(histogram.maximumMicroseconds == values.last)
        for perMille in [1, 10, 500, 900, 990, 999, 1000] {
            let exact = values[(values.count * perMille + 999) / 1000 - 1]
            let found = try #require(histogram.microseconds(atPerMille: perMille))
            #expect(found >= exact)
            #expect(Double(found) <= Double(exact) * 1.01, "seed \(seed), \(perMille): \(found) for \(exact)")
        }
    }

    @Test func holdsOddDurationsAtItsEnds() {
        var histogram = LatencyHistogram()
        histogram.record(.seconds(-5))
        histogram.record(.seconds(1_000_000))
        #expect(histogram.microseconds(atPerMille: 500) == 0)
        #expect(histogram.maximumMicroseconds == LatencyHistogram.highestMicroseconds)
    }

    /// Mean, extremes and buckets describe the same values: none is left out of one of them.
    @Test(arguments: [3, 5, 2026] as [UInt64])
    func meanAndBucketsAgree(seed: UInt64) throws {
        var state = seed
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<3000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            values.append((state >> 33) >> (state >> 11 & 31))
            histogram.record(values[values.count - 1])
        }
        #expect(histogram.meanMicroseconds == values.reduce(0, +) / UInt64(values.count))
        #expect(histogram.minimumMicroseconds == values.min())
        var rest = values
        for row in histogram.powersOfTwo {
            let within = rest.filter { $0 <= row.atMostMicroseconds }
            #expect(row.count == within.count, "seed \(seed), at most \(row.atMostMicroseconds)")
            rest.removeAll { $0 <= row.atMostMicroseconds }
        }
        #expect(rest.isEmpty)
    }

    @Test func readsDurations() {
        var histogram = LatencyHistogram()
        histogram.record(.microseconds(137))
        #expect(histogram.microseconds(atPerMille: 999) == 137)
    }
}
