import ArgumentParser

/// Durations as people write them: 500ms, 5s, 2m, 1h.
enum DurationText {
    static func parse(_ text: String) throws -> Duration {
        let digits = text.prefix { $0.isNumber }
        guard let number = Int(digits), number > 0, number <= 1_000_000 else { throw invalid(text) }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        default: throw invalid(text)
        }
    }

    /// A short form with three digits that matter: 350 µs, 12.3 ms, 4.56 s.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
        switch microseconds {
        case ..<1000: return "\(microseconds) µs"
        case ..<1_000_000: return "\(microseconds / 1000).\(microseconds % 1000 / 100) ms"
        default: return "\(microseconds / 1_000_000).\(two(microseconds % 1_000_000 / 10_000)) s"
        }
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func invalid(_ text: String) -> ValidationError {
        ValidationError("\"\(text)\" is no duration; write 500ms, 5s, 2m or 1h.")
    }
}
