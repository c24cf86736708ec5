internal import Domain

/// What a rule is about. All that is set must hold.
struct RuleSelector: Hashable, Sendable {
    /// Empty means any.
    var operations: Set<Operation> = []
    /// Empty means any.
    var reports: Set<ReportKind> = []
    var account: String?
    var symbol: InstrumentID?
    var side: Side?
    var orderType: OrderType.Name?
    var timeInForce: TimeInForce?
    var clientOrder: String?
    var clientOrderPrefix = ""
    var attempts: ClosedRange<Int> = 1...Int.max
    /// In order of arrival.
    var matches: ClosedRange<Int> = 1...Int.max
    var notBefore: UnixTime?
    var notAfter: UnixTime?
    var metadata: [String: String] = [:]

    /// Whether everything but the count of matches holds.
    func matches(_ occasion: Occasion) -> Bool {
        switch occasion.event {
        case .request(let operation): guard operations.isEmpty || operations.contains(operation) else { return false }
        case .report(let kind): guard reports.isEmpty || reports.contains(kind) else { return false }
        }
        return (account ?? occasion.account) == occasion.account
            && (clientOrder ?? occasion.clientOrder) == occasion.clientOrder
            && occasion.clientOrder.hasPrefix(clientOrderPrefix)
            && attempts.contains(occasion.attempt)
            && matchesTerms(of: occasion.terms)
            && (notBefore ?? occasion.now) <= occasion.now
            && notAfter.map { occasion.now < $0 } ?? true
            && metadata.allSatisfy { occasion.metadata[$0.key] == $0.value }
    }

    private func matchesTerms(of terms: OrderContent?) -> Bool {
        guard symbol != nil || side != nil || orderType != nil || timeInForce != nil else { return true }
        guard let terms else { return false }
        return (symbol ?? terms.symbol) == terms.symbol && (side ?? terms.side) == terms.side
            && (orderType ?? terms.type.name) == terms.type.name
            && (timeInForce ?? terms.timeInForce) == terms.timeInForce
    }
}
