/// The figures of one load, for people and for programs.
package struct LoadFigures: Sendable, Codable, Equatable {
    /// In microseconds; nothing when nothing was measured. All of it comes from the same values.
    package struct Latency: Sendable, Codable, Equatable {
        package struct Bucket: Sendable, Codable, Equatable {
            package let atMostMicroseconds: UInt64
            package let count: Int
        }

        package let count: Int
        package let meanMicroseconds: UInt64?
        package let minimumMicroseconds: UInt64?
        package let p50Microseconds: UInt64?
        package let p90Microseconds: UInt64?
        package let p95Microseconds: UInt64?
        package let p99Microseconds: UInt64?
        package let p999Microseconds: UInt64?
        package let maximumMicroseconds: UInt64?
        package let histogram: [Bucket]

        package init(_ latencies: LatencyHistogram) {
            count = latencies.count
            meanMicroseconds = latencies.meanMicroseconds
            minimumMicroseconds = latencies.minimumMicroseconds
            p50Microseconds = latencies.microseconds(atPerMille: 500)
            p90Microseconds = latencies.microseconds(atPerMille: 900)
            p95Microseconds = latencies.microseconds(atPerMille: 950)
            p99Microseconds = latencies.microseconds(atPerMille: 990)
            p999Microseconds = latencies.microseconds(atPerMille: 999)
            maximumMicroseconds = latencies.maximumMicroseconds
            histogram = latencies.powersOfTwo.map { Bucket(atMostMicroseconds: $0.atMostMicroseconds, count: $0.count) }
        }
    }

    /// Until the last call ended, at least as long as calls were begun.
    package let seconds: Double
    package let offered: Int
    package let dropped: Int
    package let ended: Int
    /// Ended with OK, per second.
    package let callsPerSecond: Double
    package let sentMessagesPerSecond: Double
    package let receivedMessagesPerSecond: Double
    /// Ended calls by the name of their status.
    package let statuses: [String: Int]
    /// What the first failure of each kind said.
    package let examples: [String: String]
    package let latency: Latency
    package let failureLatency: Latency

    /// - Parameter planned: how long calls were begun.
    package init(_ tally: LoadTally, planned: Duration) {
        let time = max(tally.lastEnd, planned) / .seconds(1)
        func rate(_ count: Int) -> Double { time > 0 ? (Double(count) / time * 10).rounded() / 10 : 0 }
        seconds = (time * 1000).rounded() / 1000
        offered = tally.offered
        dropped = tally.dropped
        ended = tally.ended
        callsPerSecond = rate(tally.succeeded)
        sentMessagesPerSecond = rate(tally.sentMessages)
        receivedMessagesPerSecond = rate(tally.receivedMessages)
        statuses = Dictionary(uniqueKeysWithValues: tally.statuses.map { ("\($0.key)", $0.value) })
        examples = Dictionary(uniqueKeysWithValues: tally.examples.map { ("\($0.key)", $0.value) })
        latency = Latency(tally.latencies)
        failureLatency = Latency(tally.failureLatencies)
    }

    package var text: String {
        var lines = [
            "calls     \(offered) offered, \(ended) ended, \(dropped) dropped, in \(seconds) s",
            "rate      \(callsPerSecond) calls/s with OK, \(sentMessagesPerSecond) messages/s sent, "
                + "\(receivedMessagesPerSecond) received",
            "status    " + statuses.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "),
        ]
        for (code, message) in examples.sorted(by: { $0.key < $1.key }) {
            lines.append("          \(code): \(message)")
        }
        lines.append("latency   \(Self.line(latency))")
        if failureLatency.count > 0 { lines.append("failures  \(Self.line(failureLatency))") }
        let most = latency.histogram.map(\.count).max() ?? 0
        for bucket in latency.histogram {
            let limit = Self.time(bucket.atMostMicroseconds + 1)
            let padding = String(repeating: " ", count: max(0, 10 - limit.count))
            let bar = String(repeating: "#", count: most > 0 ? (bucket.count * 40 + most - 1) / most : 0)
            lines.append("  < \(padding)\(limit)  \(bar) \(bucket.count)")
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ latency: Latency) -> String {
        "mean \(time(latency.meanMicroseconds)), min \(time(latency.minimumMicroseconds)), "
            + "p50 \(time(latency.p50Microseconds)), p90 \(time(latency.p90Microseconds)), "
            + "p95 \(time(latency.p95Microseconds)), p99 \(time(latency.p99Microseconds)), "
            + "p99.9 \(time(latency.p999Microseconds)), max \(time(latency.maximumMicroseconds))"
    }

    private static func time(_ microseconds: UInt64?) -> String {
        microseconds.map { TimeText.format(.microseconds(Int64($0))) } ?? "-"
    }
}
