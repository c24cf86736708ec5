import Foundation
import RPCTool

/// The outcome of one load, for people and for programs.
struct BenchReport: Sendable, Equatable, Codable {
    /// Of one latency, in microseconds from the scheduled arrival; nothing when nothing was measured.
    struct Latency: Sendable, Equatable, Codable {
        let count: Int
        let p50Microseconds: UInt64?
        let p99Microseconds: UInt64?
        let p999Microseconds: UInt64?
        let maximumMicroseconds: UInt64?

        init(_ histogram: LatencyHistogram) {
            count = histogram.count
            p50Microseconds = histogram.microseconds(atPerMille: 500)
            p99Microseconds = histogram.microseconds(atPerMille: 990)
            p999Microseconds = histogram.microseconds(atPerMille: 999)
            maximumMicroseconds = histogram.maximumMicroseconds
        }
    }

    /// UTC, as in RFC 3339.
    let date: String
    let machine: Machine
    /// Of the machine in the minute before, as /proc/loadavg says: what else it had to do. Nil where it says nothing.
    let loadBefore: Double?
    let customers: Int
    let seconds: Int
    /// Orders per second that were due.
    let offeredPerSecond: Int
    /// Orders per second that were answered, until the last answer.
    let answeredPerSecond: Double
    /// Orders per second that were filled, until the last fill.
    let filledPerSecond: Double
    let offered: Int
    let dropped: Int
    let answer: Latency
    let fill: Latency
    let errors: [String: Int]

    init(
        date: String, machine: Machine, loadBefore: Double?, customers: Int, seconds: Int, rate: Int, warmUp: Duration,
        tally: OrderTally
    ) {
        self.date = date
        self.machine = machine
        self.loadBefore = loadBefore
        self.customers = customers
        self.seconds = seconds
        offeredPerSecond = rate
        answeredPerSecond = Self.rate(tally.answered, during: max(.seconds(seconds), tally.lastAnswer - warmUp))
        filledPerSecond = Self.rate(tally.filled, during: max(.seconds(seconds), tally.lastFill - warmUp))
        offered = tally.offered
        dropped = tally.dropped
        answer = Latency(tally.answers)
        fill = Latency(tally.fills)
        errors = tally.errors
    }

    private static func rate(_ count: Int, during time: Duration) -> Double {
        let perSecond = Double(count) / (time / .seconds(1))
        return (perSecond * 10).rounded() / 10
    }

    var text: String {
        let reasons = errors.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        return """
            orders    \(offered) offered in \(seconds) s by \(customers) customers, \(dropped) dropped
            rate      \(offeredPerSecond)/s offered, \(answeredPerSecond)/s answered, \(filledPerSecond)/s filled
            answer    \(Self.line(answer))
            fill      \(Self.line(fill))
            errors    \(reasons.isEmpty ? "none" : reasons.joined(separator: ", "))
            machine   \(machine.cores) cores, \(machine.processor), load before \(loadBefore.map { "\($0)" } ?? "unknown")
            program   \(machine.configuration), commit \(machine.commit)
            date      \(date)
            """
    }

    /// One object with sorted keys.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private static func line(_ latency: Latency) -> String {
        func time(_ microseconds: UInt64?) -> String {
            microseconds.map { TimeText.format(.microseconds(Int64($0))) } ?? "-"
        }
        return "p50 \(time(latency.p50Microseconds)), p99 \(time(latency.p99Microseconds)), "
            + "p99.9 \(time(latency.p999Microseconds)), max \(time(latency.maximumMicroseconds)) (\(latency.count))"
    }
}
