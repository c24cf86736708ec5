package import Domain

/// What rules are asked about: a request or the delivery of a report, at one attempt.
package struct Occasion: Sendable {
    /// What happens.
    package enum Event: Hashable, Sendable {
        case request(Operation)
        case report(ReportKind)
    }

    package let event: Event
    /// Names what it is about in the decision log, and in each draw.
    package let subject: String
    package let account: String
    /// Empty when it names none.
    package let clientOrder: String
    /// The order's terms, as far as they are known.
    package let terms: OrderContent?
    /// Counted from 1 for each call about the subject.
    package let attempt: Int
    /// What came with the request; in lower case.
    package let metadata: [String: String]
    package let now: UnixTime

    package init(
        event: Event, subject: String, account: String = "", clientOrder: String = "", terms: OrderContent? = nil,
        attempt: Int, metadata: [String: String] = [:], now: UnixTime
    ) {
        self.event = event
        self.subject = subject
        self.account = account
        self.clientOrder = clientOrder
        self.terms = terms
        self.attempt = attempt
        self.metadata = metadata
        self.now = now
    }
}
