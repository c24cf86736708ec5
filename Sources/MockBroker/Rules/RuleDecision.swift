/// What was decided for one subject at one attempt: a function of seed, rule, subject and attempt alone, but for rules
/// that count firings or matches over all subjects.
package struct RuleDecision: Hashable, Sendable {
    package let rule: String
    package let point: InjectionPoint
    /// What it was about, for example `order:alice/ord-1`.
    package let subject: String
    /// Counted from 1 for each call about the subject.
    package let attempt: Int
    package let fired: Bool
    /// What was drawn, in the order of drawing: delays in microseconds, counts, sizes.
    package let values: [Int64]

    package init(
        rule: String, point: InjectionPoint, subject: String, attempt: Int, fired: Bool, values: [Int64] = []
    ) {
        self.rule = rule
        self.point = point
        self.subject = subject
        self.attempt = attempt
        self.fired = fired
        self.values = values
    }
}
