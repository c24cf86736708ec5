/// What a test expects of a journal.
enum Expectation: Hashable, Sendable {
    case count(JournalMatcher, Bound)
    /// One after the other, others between them allowed.
    case inOrder([JournalMatcher])

    enum Bound: Hashable, Sendable {
        case exactly(Int)
        case atLeast(Int)
        case atMost(Int)
    }
}

/// Reads a journal from its beginning and says whether an expectation holds. A pure value.
struct ExpectationCheck: Sendable {
    /// How many examples are kept.
    static let exampleLimit = 5

    private let expectation: Expectation
    /// Entries that matched; for an order, matchers that were found.
    private(set) var found = 0
    /// The first entries that matched.
    private(set) var examples: [EvidenceEntry] = []
    /// The last sequence that was looked at.
    private var last = 0
    /// The last sequence that matched.
    private var lastFound = 0
    /// Entries that memory does not hold any more.
    private var forgotten = 0

    init(_ expectation: Expectation) { self.expectation = expectation }

    /// Takes the next entry. A jump of the sequence is what memory has forgotten.
    mutating func take(_ entry: EvidenceEntry, _ book: borrowing BrokerBook) {
        forgotten += entry.sequence - last - 1
        last = entry.sequence
        switch expectation {
        case .count(let matcher, _): guard matcher.matches(entry, book) else { return }
        case .inOrder(let matchers):
            guard found < matchers.count, matchers[found].matches(entry, book) else { return }
        }
        found += 1
        lastFound = entry.sequence
        if examples.count < Self.exampleLimit { examples.append(entry) }
    }

    enum Verdict: Hashable, Sendable {
        case holds(String)
        case doesNot(String)
        /// Entries that are forgotten might decide it.
        case unknown(forgotten: Int)
    }

    /// After the last entry.
    var verdict: Verdict {
        switch expectation {
        case .count(_, .exactly(let wanted)):
            if found > wanted { return .doesNot("\(entries(found)), expected exactly \(wanted)") }
            guard forgotten == 0 else { return .unknown(forgotten: forgotten) }
            guard found == wanted else { return .doesNot("\(entries(found)), expected exactly \(wanted)") }
            return .holds("\(entries(found)), as expected")
        case .count(_, .atLeast(let wanted)):
            if found >= wanted { return .holds("\(entries(found)), expected at least \(wanted)") }
            guard forgotten == 0 else { return .unknown(forgotten: forgotten) }
            return .doesNot("\(entries(found)), expected at least \(wanted)")
        case .count(_, .atMost(let wanted)):
            if found > wanted { return .doesNot("\(entries(found)), expected at most \(wanted)") }
            guard forgotten == 0 else { return .unknown(forgotten: forgotten) }
            return .holds("\(entries(found)), expected at most \(wanted)")
        case .inOrder(let matchers):
            if found == matchers.count { return .holds("all \(found) were found in this order") }
            guard forgotten == 0 else { return .unknown(forgotten: forgotten) }
            let place = "number \(found + 1) of \(matchers.count) was not found"
            return .doesNot(found == 0 ? place : "\(place) after entry \(lastFound)")
        }
    }

    private func entries(_ count: Int) -> String { count == 1 ? "1 entry matches" : "\(count) entries match" }
}
