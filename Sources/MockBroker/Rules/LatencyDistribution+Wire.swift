internal import Contracts
internal import Domain
internal import Protobuf

extension LatencyDistribution {
    /// Reads a distribution; refusals name the field within the latency.
    ///
    /// - Parameter mayFreeze: whether it may last until the rule is taken away.
    init(_ wire: BrokerLatency, mayFreeze: Bool = false) throws(InvalidSetting) {
        let low = try SettingReader.microseconds(wire.minimum, "minimum") ?? 0
        let high = try SettingReader.microseconds(wire.maximum, "maximum") ?? Self.maximum
        guard low <= high else { throw InvalidSetting(path: "maximum", problem: "must not be below the minimum") }
        guard let distribution = wire.distribution else {
            throw InvalidSetting(path: "distribution", problem: "is missing")
        }
        let shape = try Shape(distribution)
        guard mayFreeze || shape != .frozen else {
            throw InvalidSetting(path: "frozen", problem: "belongs to a rule's own latency only")
        }
        self.init(shape, bounds: low...high)
    }

    /// Reads an optional distribution in the field at `path`.
    static func optional(_ wire: BrokerLatency?, _ path: String) throws(InvalidSetting) -> LatencyDistribution? {
        guard let wire else { return nil }
        do { return try LatencyDistribution(wire) } catch { throw error.within(path) }
    }

    static func required(_ wire: BrokerLatency?, _ path: String) throws(InvalidSetting) -> LatencyDistribution {
        guard let latency = try optional(wire, path) else { throw InvalidSetting(path: path, problem: "is missing") }
        return latency
    }
}

extension LatencyDistribution.Shape {
    fileprivate init(_ wire: BrokerLatency.Distribution) throws(InvalidSetting) {
        typealias Reader = SettingReader
        switch wire {
        case .fixed(let value): self = .fixed(try Reader.requiredMicroseconds(value, "fixed"))
        case .uniform(let wire):
            let low = try Reader.requiredMicroseconds(wire.minimum, "uniform.minimum")
            let high = try Reader.requiredMicroseconds(wire.maximum, "uniform.maximum")
            guard low <= high else {
                throw InvalidSetting(path: "uniform.maximum", problem: "must not be below the minimum")
            }
            self = .uniform(low...high)
        case .normal(let wire):
            self = .normal(
                mean: try Reader.requiredMicroseconds(wire.mean, "normal.mean"),
                deviation: try Reader.requiredMicroseconds(wire.standardDeviation, "normal.standard_deviation"))
        case .lognormal(let wire):
            self = .lognormal(
                median: try Reader.requiredMicroseconds(wire.median, "lognormal.median", atLeast: 1),
                sigma: try Reader.number(wire.sigma, in: 0...5, "lognormal.sigma"))
        case .pareto(let wire):
            self = .pareto(
                scale: try Reader.requiredMicroseconds(wire.scale, "pareto.scale", atLeast: 1),
                shape: try Reader.number(wire.shape, in: 0.01...100, "pareto.shape"))
        case .bimodal(let wire):
            self = .bimodal(
                usual: try Reader.requiredMicroseconds(wire.usual, "bimodal.usual"),
                other: try Reader.requiredMicroseconds(wire.other, "bimodal.other"),
                otherProbability: try Reader.number(wire.otherProbability, in: 0...1, "bimodal.other_probability"))
        case .stepped(let wire):
            guard (1...100).contains(wire.steps.count) else {
                throw InvalidSetting(path: "stepped.steps", problem: "must be 1 to 100")
            }
            var steps: [Int64] = []
            for (index, step) in wire.steps.enumerated() {
                steps.append(try Reader.requiredMicroseconds(step, "stepped.steps[\(index)]"))
            }
            self = .stepped(steps)
        case .ramp(let wire):
            guard let start = try Reader.time(wire.start, "ramp.start"), let end = try Reader.time(wire.end, "ramp.end")
            else { throw InvalidSetting(path: "ramp", problem: "must have a start and an end") }
            guard start < end else { throw InvalidSetting(path: "ramp.end", problem: "must be after the start") }
            self = .ramp(
                from: try Reader.requiredMicroseconds(wire.from, "ramp.from"),
                to: try Reader.requiredMicroseconds(wire.to, "ramp.to"), start: start, end: end)
        case .frozen: self = .frozen
        }
    }
}
