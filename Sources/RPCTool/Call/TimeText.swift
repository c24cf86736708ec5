/// Durations for people.
package enum TimeText {
    /// A short form with three digits that matter: 350 µs, 12.3 ms, 4.56 s.
    package static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let microseconds = Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
        switch microseconds {
        case ..<1000: return "\(microseconds) µs"
        case ..<1_000_000: return "\(microseconds / 1000).\(microseconds % 1000 / 100) ms"
        default:
            let hundredths = microseconds % 1_000_000 / 10_000
            return "\(microseconds / 1_000_000).\(hundredths < 10 ? "0" : "")\(hundredths) s"
        }
    }
}
