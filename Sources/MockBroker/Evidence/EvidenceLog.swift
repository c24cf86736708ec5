internal import DequeModule
package import Domain

/// One line of the journal, as it is kept in memory.
package struct EvidenceEntry: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case request(RequestFact, number: Int, attempt: Int, [RuleDecision])
        /// The order is what the request changed the books about; nil when it did not.
        case reply(ReplyFact, to: RequestOrigin, committed: BrokerOrderID?)
        case delivery(stream: Int, sequence: Int, attempt: Int, DeliveryFate, [RuleDecision])
        /// A call of the control service; the body is its request on the wire.
        case control(method: String, body: [UInt8])
    }

    /// Counts from 1 without gaps.
    package let sequence: Int
    package let at: UnixTime
    package let content: Content
}

/// What a reply answers, so that it can be found when the entry of its request is forgotten.
package struct RequestOrigin: Hashable, Sendable {
    package let operation: Operation
    package let account: String
    package let clientOrder: String
    package let attempt: Int
    /// Rules that fired for the request.
    package let fired: [String]
}

/// The journal of a namespace: everything that arrived, was answered and was delivered. The file has all of it, memory
/// the latest.
package struct EvidenceLog: Sendable {
    /// Entries in memory, unless the broker is told otherwise; about 400 bytes each.
    package static let usualLimit = 500_000

    private let limit: Int
    private var entries = Deque<EvidenceEntry>()
    /// The sequence of the last entry there is; 0 when there is none.
    package private(set) var last = 0

    /// - Parameter limit: entries in memory, above zero; past it the oldest are forgotten.
    package init(limit: Int = usualLimit) { self.limit = limit }

    /// Entries that memory does not hold any more.
    package var forgotten: Int { last - entries.count }

    package mutating func add(_ content: EvidenceEntry.Content, at: UnixTime) {
        last += 1
        if entries.count == limit { entries.removeFirst() }
        entries.append(EvidenceEntry(sequence: last, at: at, content: content))
    }

    /// Up to `limit` entries after `sequence`, oldest first.
    package func entries(after sequence: Int, limit: Int) -> [EvidenceEntry] {
        let start = max(0, sequence - forgotten)
        guard start < entries.count else { return [] }
        return Array(entries[start..<min(entries.count, start + limit)])
    }
}
