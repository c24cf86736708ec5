package import Domain
internal import Glibc

/// How a delay is distributed. In whole microseconds, from zero to a day.
package struct LatencyDistribution: Hashable, Sendable {
    package enum Shape: Hashable, Sendable {
        case fixed(Int64)
        case uniform(ClosedRange<Int64>)
        case normal(mean: Int64, deviation: Int64)
        case lognormal(median: Int64, sigma: Double)
        case pareto(scale: Int64, shape: Double)
        case bimodal(usual: Int64, other: Int64, otherProbability: Double)
        case stepped([Int64])
        case ramp(from: Int64, to: Int64, start: UnixTime, end: UnixTime)
        /// Until the rule is taken away.
        case frozen
    }

    /// A day.
    package static let maximum: Int64 = 86_400_000_000
    /// What `draw` gives for `frozen`.
    static let untilReleased: Int64 = -1

    package let shape: Shape
    /// What is drawn is held within.
    package let bounds: ClosedRange<Int64>

    package init(_ shape: Shape, bounds: ClosedRange<Int64> = 0...Self.maximum) {
        self.shape = shape
        self.bounds = bounds
    }

    /// One delay. Only a ramp looks at the time, only steps at the attempt.
    func draw(_ draw: inout Draw, attempt: Int, at now: UnixTime) -> Int64 {
        let microseconds: Double
        switch shape {
        case .fixed(let value): microseconds = Double(value)
        case .uniform(let range): microseconds = Double(draw.within(range))
        case .normal(let mean, let deviation): microseconds = Double(mean) + Double(deviation) * draw.normal()
        case .lognormal(let median, let sigma): microseconds = Double(median) * exp(sigma * draw.normal())
        case .pareto(let scale, let shape): microseconds = Double(scale) * pow(draw.unit(), -1 / shape)
        case .bimodal(let usual, let other, let probability):
            microseconds = Double(draw.hits(probability) ? other : usual)
        case .stepped(let steps): microseconds = Double(steps[min(attempt, steps.count) - 1])
        case .ramp(let from, let to, let start, let end):
            let share = Double(now.nanoseconds - start.nanoseconds) / Double(end.nanoseconds - start.nanoseconds)
            microseconds = Double(from) + Double(to - from) * min(max(share, 0), 1)
        case .frozen: return Self.untilReleased
        }
        return Int64(min(max(microseconds, Double(bounds.lowerBound)), Double(bounds.upperBound)))
    }
}
