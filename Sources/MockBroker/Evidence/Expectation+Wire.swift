internal import Contracts

extension Expectation {
    /// Reads an expectation; refusals name the field within the request.
    init(_ wire: BrokerVerifyRequest) throws(InvalidSetting) {
        switch wire.expectation {
        case nil: throw InvalidSetting(path: "expectation", problem: "is missing")
        case .count(let count):
            self = .count(
                try Self.matcher(count.matcher ?? BrokerJournalMatcher(), "count.matcher"),
                try Bound(count.bound))
        case .order(let order):
            guard (2...100).contains(order.matchers.count) else {
                throw InvalidSetting(path: "order.matchers", problem: "must be 2 to 100")
            }
            var matchers: [JournalMatcher] = []
            for (index, matcher) in order.matchers.enumerated() {
                matchers.append(try Self.matcher(matcher, "order.matchers[\(index)]"))
            }
            self = .inOrder(matchers)
        }
    }

    private static func matcher(_ wire: BrokerJournalMatcher, _ path: String) throws(InvalidSetting) -> JournalMatcher {
        do { return try JournalMatcher(wire) } catch { throw error.within(path) }
    }
}

extension Expectation.Bound {
    init(_ wire: BrokerCountExpectation.Bound?) throws(InvalidSetting) {
        switch wire {
        case .exactly(let count): self = .exactly(try Self.count(count, "count.exactly"))
        case .atLeast(let count): self = .atLeast(try Self.count(count, "count.at_least"))
        case .atMost(let count): self = .atMost(try Self.count(count, "count.at_most"))
        case nil: throw InvalidSetting(path: "count.bound", problem: "is missing")
        }
    }

    private static func count(_ value: Int64, _ path: String) throws(InvalidSetting) -> Int {
        Int(try SettingReader.number(value, in: 0...Int64.max, path))
    }
}
