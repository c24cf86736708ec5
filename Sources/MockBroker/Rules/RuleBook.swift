package import Domain

/// The rules of a namespace and what they have done. A pure value: `ask` decides, `apply` counts.
package struct RuleBook: Sendable {
    package struct Entry: Sendable {
        package let rule: Rule
        package fileprivate(set) var matched = 0
        package fileprivate(set) var fired = 0
        package fileprivate(set) var lastFired: UnixTime?
        fileprivate var firedBySubject: [String: Int] = [:]
    }

    /// More rules are refused.
    package static let limit = 1000

    /// In the order in which they are asked.
    package private(set) var entries: [Entry] = []
    /// Whether any rule looks at reports, or at requests: most brokers have none, and then nothing is asked.
    package private(set) var asksAboutReports = false
    private var asksAboutRequests = false
    /// Decides instead of the seed, when set.
    package private(set) var script: DecisionLog?
    package private(set) var log = DecisionLog()

    package init() {}

    package func rule(_ id: String) -> Rule? { entries.first { $0.rule.id == id }?.rule }

    // MARK: Deciding

    /// Decides about every enabled rule that matches, in their order. Changes nothing.
    package func ask(_ occasion: Occasion, seed: Int64) -> [RuleDecision] {
        switch occasion.event {
        case .request: guard asksAboutRequests else { return [] }
        case .report: guard asksAboutReports else { return [] }
        }
        var settled: Set<Place> = []
        var decisions: [RuleDecision] = []
        for entry in entries {
            let rule = entry.rule
            let place = Place(point: rule.point, kind: rule.action.kind)
            guard rule.isAsked(about: occasion.event), !settled.contains(place), rule.selector.matches(occasion) else {
                continue
            }
            let decision = decide(entry, occasion, seed: seed)
            decisions.append(decision)
            if decision.fired, !rule.alsoApplyLowerPriority { settled.insert(place) }
        }
        return decisions
    }

    private struct Place: Hashable {
        let point: InjectionPoint
        let kind: RuleAction.Kind
    }

    private func decide(_ entry: Entry, _ occasion: Occasion, seed: Int64) -> RuleDecision {
        let rule = entry.rule
        func decision(_ fired: Bool, _ values: [Int64] = []) -> RuleDecision {
            RuleDecision(
                rule: rule.id, point: rule.point, subject: occasion.subject, attempt: occasion.attempt, fired: fired,
                values: values)
        }
        if let script {
            // What the log does not know does not fire.
            let known = script.decision(rule.id, rule.point, subject: occasion.subject, attempt: occasion.attempt)
            return known ?? decision(false)
        }
        guard rule.selector.matches.contains(entry.matched + 1), entry.fired < rule.maximumFirings ?? .max,
            entry.firedBySubject[occasion.subject] ?? 0 < rule.maximumFiringsPerSubject ?? .max
        else { return decision(false) }
        var draw = Draw(seed: seed, rule: rule.id, subject: occasion.subject, attempt: occasion.attempt)
        guard draw.hits(rule.probability) else { return decision(false) }
        return decision(true, rule.action.draw(&draw, occasion))
    }

    /// The actions of those decisions that fired, in their order.
    package func firings(_ decisions: [RuleDecision]) -> [Firing] {
        decisions.compactMap { decision in
            guard decision.fired, let rule = rule(decision.rule) else { return nil }
            return Firing(rule: rule.id, point: decision.point, action: rule.action, values: decision.values)
        }
    }

    // MARK: Changing

    /// Adds the rule or replaces the one of its id, whose counts begin anew.
    package mutating func put(_ rule: Rule) {
        remove(rule.id)
        let position = entries.firstIndex { rule.isBefore($0.rule) } ?? entries.endIndex
        entries.insert(Entry(rule: rule), at: position)
        noticeRules()
    }

    package mutating func remove(_ id: String) {
        entries.removeAll { $0.rule.id == id }
        noticeRules()
    }

    package mutating func removeAll() {
        entries = []
        noticeRules()
    }

    /// Decides as `script` says from now on.
    package mutating func follow(_ script: DecisionLog) { self.script = script }

    /// Counts and logs what was decided.
    package mutating func apply(_ decisions: [RuleDecision], at now: UnixTime) {
        for decision in decisions {
            log.add(decision)
            guard let index = entries.firstIndex(where: { $0.rule.id == decision.rule }) else { continue }
            entries[index].matched += 1
            guard decision.fired else { continue }
            entries[index].fired += 1
            entries[index].lastFired = now
            if entries[index].rule.maximumFiringsPerSubject != nil {
                entries[index].firedBySubject[decision.subject, default: 0] += 1
            }
        }
    }

    private mutating func noticeRules() {
        asksAboutReports = entries.contains { $0.rule.isEnabled && $0.rule.point.isAboutReports }
        asksAboutRequests = entries.contains { $0.rule.isEnabled && !$0.rule.point.isAboutReports }
    }
}

/// What a rule does now.
package struct Firing: Hashable, Sendable {
    package let rule: String
    package let point: InjectionPoint
    package let action: RuleAction
    package let values: [Int64]
}

extension Rule {
    fileprivate func isBefore(_ other: Rule) -> Bool {
        priority == other.priority ? id < other.id : priority > other.priority
    }
}
