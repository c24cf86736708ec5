/// All decisions, each under what it was decided for.
package struct DecisionLog: Hashable, Sendable {
    private struct Key: Hashable, Comparable, Sendable {
        let rule: String
        let point: InjectionPoint
        let subject: String
        let attempt: Int

        init(_ decision: RuleDecision) {
            self.init(
                rule: decision.rule, point: decision.point, subject: decision.subject, attempt: decision.attempt)
        }

        init(rule: String, point: InjectionPoint, subject: String, attempt: Int) {
            self.rule = rule
            self.point = point
            self.subject = subject
            self.attempt = attempt
        }

        static func < (a: Key, b: Key) -> Bool {
            (a.rule, a.point, a.subject, a.attempt) < (b.rule, b.point, b.subject, b.attempt)
        }
    }

    /// No log holds more; about 200 bytes each.
    package static let limit = 1_000_000

    private var decisions: [Key: RuleDecision] = [:]
    /// Decisions that did not fit any more: such a log cannot be replayed.
    package private(set) var overflow = 0

    package init() {}

    package var count: Int { decisions.count }

    /// Takes a decision, unless the log is full.
    package mutating func add(_ decision: RuleDecision) {
        guard decisions.count < Self.limit else {
            overflow += 1
            return
        }
        decisions[Key(decision)] = decision
    }

    package func decision(
        _ rule: String, _ point: InjectionPoint, subject: String, attempt: Int
    ) -> RuleDecision? {
        decisions[Key(rule: rule, point: point, subject: subject, attempt: attempt)]
    }

    /// In the one order of the log: by rule, place, subject and attempt. Timing does not change it.
    package var sorted: [RuleDecision] { decisions.sorted { $0.key < $1.key }.map(\.value) }
}
