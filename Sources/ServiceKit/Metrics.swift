internal import Synchronization

/// The numbers of one process, shown as Prometheus text (exposition format 0.0.4).
///
/// Counters and gauges are atomics, so that counting costs nothing on a loop. Label values come from fixed sets: at
/// most `seriesLimit` series exist, and what comes later counts under the label value "other".
public final class Metrics: Sendable {
    private struct Family {
        let help: String
        let type: String
        var series: [String: any Metric] = [:]
    }

    private let families = Mutex<[String: Family]>([:])
    private let seriesLimit: Int

    public init(seriesLimit: Int = 500) { self.seriesLimit = seriesLimit }

    /// A number that only grows. The same name and labels give the same counter.
    public func counter(_ name: String, help: String, labels: KeyValuePairs<String, String> = [:]) -> Counter {
        metric(name, help: help, type: "counter", labels: labels) { Counter() }
    }

    /// A number that goes up and down.
    public func gauge(_ name: String, help: String, labels: KeyValuePairs<String, String> = [:]) -> Gauge {
        metric(name, help: help, type: "gauge", labels: labels) { Gauge() }
    }

    /// Values, counted in buckets; durations from 100 microseconds to 60 seconds unless told otherwise.
    public func histogram(
        _ name: String, help: String, labels: KeyValuePairs<String, String> = [:],
        scale: HistogramScale = .durations
    ) -> Histogram {
        metric(name, help: help, type: "histogram", labels: labels) { Histogram(scale) }
    }

    /// Everything as Prometheus text, sorted by name.
    public func exposition() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
            for (labels, metric) in family.series.sorted(by: { $0.key < $1.key }) {
                metric.append(name: name, labels: labels, to: &text)
            }
        }
        return text
    }

    private func metric<M: Metric>(
        _ name: String, help: String, type: String, labels: KeyValuePairs<String, String>, make: () -> M
    ) -> M {
        families.withLock { families in
            var family = families[name] ?? Family(help: help, type: type)
            precondition(family.type == type, "metric \(name) is a \(family.type)")
            var key = Self.key(labels)
            if family.series[key] == nil, family.series.count >= seriesLimit {
                key = Self.key(labels.map { ($0.key, "other") })
            }
            if let known = family.series[key] as? M { return known }
            let made = make()
            family.series[key] = made
            families[name] = family
            return made
        }
    }

    private static func key(_ labels: some Sequence<(key: String, value: String)>) -> String {
        labels.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return text
    }
}

/// One series of a family.
public protocol Metric: AnyObject, Sendable {
    func append(name: String, labels: String, to text: inout String)
}

/// A number that only grows.
public final class Counter: Metric {
    private let count = Atomic<Int>(0)

    public func increment(by amount: Int = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
    public var value: Int { count.load(ordering: .relaxed) }

    public func append(name: String, labels: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}

/// A number that goes up and down.
public final class Gauge: Metric {
    private let number = Atomic<Int>(0)

    public func set(_ value: Int) { number.store(value, ordering: .relaxed) }
    public func add(_ amount: Int) { number.wrappingAdd(amount, ordering: .relaxed) }
    public var value: Int { number.load(ordering: .relaxed) }

    public func append(name: String, labels: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
