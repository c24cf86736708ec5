internal import Domain

/// Which entries of a journal. All that is set must hold.
struct JournalMatcher: Hashable, Sendable {
    /// A kind of entry.
    enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case request = 1
        case reply, delivery, control
    }

    /// The kinds that can match at all; every other part narrows them.
    var kinds = Set(Kind.allCases)
    var operation: Operation?
    var account: String?
    var clientOrder: String?
    /// The broker's own answer.
    var code: Int?
    var replyFate: ReplyFate?
    var deliveryFate: DeliveryFate?
    /// Fired for the request, or for the report.
    var rule: String?
    var committed: Bool?
    var attempt: Int?
    var execution: String?

    /// - Parameter book: whose journal it is: reports are entered by their place in its feed.
    func matches(_ entry: EvidenceEntry, _ book: borrowing BrokerBook) -> Bool {
        switch entry.content {
        case .request(let fact, _, let attempt, let decisions):
            kinds.contains(.request)
                && isAbout(fact.operation, fact.account, fact.clientOrder, attempt)
                && (rule.map { rule in decisions.contains { $0.fired && $0.rule == rule } } ?? true)
        case .reply(let fact, let origin, let order):
            kinds.contains(.reply)
                && isAbout(origin.operation, origin.account, origin.clientOrder, origin.attempt)
                && (code.map { $0 == fact.code } ?? true)
                && (replyFate ?? fact.fate) == fact.fate
                && (committed.map { $0 == (order != nil) } ?? true)
                && (rule.map(origin.fired.contains) ?? true)
        case .delivery(_, let sequence, let attempt, let fate, let decisions):
            kinds.contains(.delivery)
                && (deliveryFate ?? fate) == fate
                && (self.attempt ?? attempt) == attempt
                && (rule.map { rule in decisions.contains { $0.fired && $0.rule == rule } } ?? true)
                && isAbout(sequence, book)
        case .control: kinds.contains(.control)
        }
    }

    private func isAbout(_ operation: Operation, _ account: String, _ clientOrder: String, _ attempt: Int) -> Bool {
        (self.operation ?? operation) == operation && (self.account ?? account) == account
            && (self.clientOrder ?? clientOrder) == clientOrder && (self.attempt ?? attempt) == attempt
    }

    private func isAbout(_ sequence: Int, _ book: borrowing BrokerBook) -> Bool {
        guard account != nil || clientOrder != nil || execution != nil else { return true }
        let report = book.feed[sequence - 1]
        let order = book.orders[report.order]
        let key = order.content.key
        guard (account ?? key.account.text) == key.account.text else { return false }
        guard (clientOrder ?? key.clientOrder.text) == key.clientOrder.text else { return false }
        // Last, since an id is a hash.
        return execution.map { $0 == order.executionID(ordinal: report.ordinal).text } ?? true
    }
}
