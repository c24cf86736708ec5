package import Domain

/// A request that the book has taken note of, and what rules made of it.
package struct Arrival: Hashable, Sendable {
    /// Counts the requests of the namespace from 1.
    package let number: Int
    package let attempt: Int
    /// What fired, in the order of the rules.
    package let firings: [Firing]

    package init(number: Int, attempt: Int, firings: [Firing]) {
        self.number = number
        self.attempt = attempt
        self.firings = firings
    }

    /// A request that nothing happens to.
    package static let uneventful = Arrival(number: 0, attempt: 1, firings: [])

    func firings(at point: InjectionPoint) -> [Firing] { firings.filter { $0.point == point } }

    /// The faults in the order's life that fired.
    var orderFaults: [(fault: OrderFault, values: [Int64])] {
        firings.compactMap { firing in
            if case .order(let fault) = firing.action { (fault, firing.values) } else { nil }
        }
    }

    /// Throws when a fault says so.
    func refuse() throws(BrokerRefusal) {
        for case (.refuse(let reason, let text), _) in orderFaults { throw .told(reason, text) }
    }

    /// How much later a cancel or replace is carried out.
    var slowness: Duration {
        for case (.slow, let values) in orderFaults { return .microseconds(max(0, values.first ?? 0)) }
        return .zero
    }

    /// Whether a replacement gives the order another order id.
    var givesNewID: Bool { orderFaults.contains { $0.fault == .newOrderID } }

    /// How the order fills.
    var template: FillTemplate {
        for firing in firings {
            if case .fills(let script) = firing.action { return FillTemplate(script, values: firing.values) }
        }
        return .usual
    }

    /// Whether something happens before the request is carried out.
    var pausesBeforeCommit: Bool {
        firings.contains { firing in
            switch firing.point {
            case .beforeRead: true
            case .afterReadBeforeCommit: firing.action.isCarriedOutByTheWay
            case .afterCommitBeforeReply, .duringReply, .beforeEvent, .afterEvent: false
            }
        }
    }
}

extension RuleAction {
    /// Whether it happens to the request, and not to the order.
    fileprivate var isCarriedOutByTheWay: Bool {
        switch self {
        case .latency, .rpc, .crash, .capacity, .transport: true
        case .order, .fills, .event, .visibility: false
        }
    }
}

extension BrokerBook {
    /// Takes note of a request and lets the rules decide what happens to it. Changes nothing.
    ///
    /// - Parameter terms: the order that it places or is about, for rules that select by them.
    package func arrive(
        _ fact: RequestFact, terms: OrderContent?, at now: UnixTime, _ venue: BookRules
    ) throws(BrokerRefusal) -> Decision<Arrival> {
        let attempt = attempts(fact.operation, fact.subject) + 1
        guard attempt > 1 || subjectCount < venue.idLimit * 2 else { throw .bookFull(limit: venue.idLimit) }
        let decisions = decisions(about: fact, terms: terms, at: now)
        return Decision(
            records: [.requested(fact, decisions, at: now)],
            answer: Arrival(number: requestCount + 1, attempt: attempt, firings: rules.firings(decisions)))
    }

    /// What rules make of a request. Changes nothing.
    ///
    /// - Parameter attempt: nil means the next one about its subject.
    package func decisions(
        about fact: RequestFact, terms: OrderContent?, attempt: Int? = nil, at now: UnixTime
    ) -> [RuleDecision] {
        rules.ask(
            Occasion(
                event: .request(fact.operation), subject: fact.subject, account: fact.account,
                clientOrder: fact.clientOrder, terms: terms,
                attempt: attempt ?? attempts(fact.operation, fact.subject) + 1, metadata: fact.metadata, now: now),
            seed: behavior.seed)
    }

    /// What rules make of offering the report with this sequence to a stream now. Changes nothing.
    package func offer(_ sequence: Int, at now: UnixTime) -> (decisions: [RuleDecision], firings: [Firing]) {
        let entry = feed[sequence - 1]
        let order = orders[entry.order]
        let decisions = rules.ask(
            Occasion(
                event: .report(entry.kind), subject: "execution:\(order.executionID(ordinal: entry.ordinal))",
                account: order.content.key.account.text, clientOrder: entry.clientOrder.text, terms: order.content,
                attempt: offers(sequence) + 1, now: now),
            seed: behavior.seed)
        return (decisions, rules.firings(decisions))
    }
}
