/// One invariant held against the books: how much was looked at, and what was wrong.
struct AuditCheck: Sendable, Hashable {
    let name: String
    let checked: Int
    /// With ids; empty when all is well.
    let violations: [String]

    var passed: Bool { violations.isEmpty }

    /// One line, and the first five violations.
    var text: String {
        let lines = ["\(passed ? "✓" : "✗") \(name) (\(checked) checked)"] + violations.prefix(5).map { "    \($0)" }
        let more = violations.count > 5 ? ["    and \(violations.count - 5) more"] : []
        return (lines + more).joined(separator: "\n")
    }
}
