/// What one check found.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
    public enum Verdict: Hashable, Sendable {
        case passed
        /// Broker and record do not agree; says how.
        case failed(String)
        /// Nothing to check; says why.
        case skipped(String)
    }

    /// The name of the check, for example `repeated-order`.
    public let check: String
    public let verdict: Verdict

    public var hasFailed: Bool {
        if case .failed = verdict { true } else { false }
    }

    public var description: String {
        switch verdict {
        case .passed: "passed   \(check)"
        case .failed(let text): "FAILED   \(check): \(text)"
        case .skipped(let text): "skipped  \(check): \(text)"
        }
    }
}

/// Why a check does not pass: thrown by checks, never out of the suite.
enum Disagreement: Error {
    case violation(String)
    /// The record claims nothing about it.
    case notClaimed(String)
}
