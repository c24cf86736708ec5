/// When the calls of a load are due, by the clock alone: however slow the server is, the next comes when it is due, so
/// that a stall shows in the latency of all who had to wait.
package struct RateProfile: Sendable, Hashable {
    /// Parts of equal length, each with calls per second at its start and at its end.
    private struct Part: Hashable {
        let from: Double
        let to: Double
        /// Calls before this part.
        let before: Double
    }

    private let parts: [Part]
    private let partSeconds: Double
    /// Calls in all.
    package let count: Int
    package let duration: Duration

    /// The same rate all the time. Rates are calls per second, above zero; the duration is, too.
    package static func constant(_ rate: Double, for duration: Duration) -> RateProfile {
        RateProfile([(rate, rate)], duration)
    }

    /// A rate that grows, or shrinks, evenly.
    package static func ramp(from: Double, to: Double, for duration: Duration) -> RateProfile {
        RateProfile([(from, to)], duration)
    }

    /// One rate after the other, each for an equal share of the time.
    package static func steps(_ rates: [Double], for duration: Duration) -> RateProfile {
        RateProfile(rates.map { ($0, $0) }, duration)
    }

    private init(_ rates: [(from: Double, to: Double)], _ duration: Duration) {
        precondition(duration > .zero && !rates.isEmpty, "a load takes time")
        precondition(rates.allSatisfy { $0.from > 0 && $0.to > 0 }, "calls per second are above zero")
        partSeconds = duration / .seconds(1) / Double(rates.count)
        var parts: [Part] = []
        var before = 0.0
        for (from, to) in rates {
            parts.append(Part(from: from, to: to, before: before))
            before += (from + to) / 2 * partSeconds
        }
        self.parts = parts
        self.duration = duration
        count = Int(before.rounded())
    }

    /// When a call is due, counted from the start. The index may go past `count`, at the rate of the end.
    package func offset(of index: Int) -> Duration {
        let number = Double(index)
        let position = (parts.lastIndex { $0.before <= number }) ?? 0
        let part = parts[position]
        let start = Double(position) * partSeconds
        let slope = (part.to - part.from) / partSeconds
        let wanted = number - part.before
        // The area under the rate: from·t + slope·t²/2 = wanted, written so that it also holds for no slope.
        let root = max(0, part.from * part.from + 2 * slope * wanted).squareRoot()
        return .seconds(1) * (start + 2 * wanted / (part.from + root))
    }
}
