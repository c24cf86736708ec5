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

    private static func invalid(_ text: String) -> ValidationError {
        ValidationError("\"\(text)\" is no duration; write 500ms, 5s, 2m or 1h.")
    }
}
