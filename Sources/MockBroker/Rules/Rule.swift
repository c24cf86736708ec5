package import Contracts

/// One instruction to misbehave, read and found good.
package struct Rule: Hashable, Sendable {
    /// As it was given, for lists and the journal.
    package let source: BrokerRule
    package let id: String
    let priority: Int
    let selector: RuleSelector
    let point: InjectionPoint
    package let action: RuleAction
    let alsoApplyLowerPriority: Bool
    /// Nil means without limit.
    let maximumFirings: Int?
    let maximumFiringsPerSubject: Int?
    let probability: Double
    let isEnabled: Bool

    /// Whether it is asked at this occasion at all.
    func isAsked(about event: Occasion.Event) -> Bool {
        switch event {
        case .report: isEnabled && point.isAboutReports
        case .request(let operation):
            isEnabled && !point.isAboutReports && action.operations?.contains(operation) ?? true
        }
    }
}

extension RuleAction {
    /// The calls in which it has a meaning; nil means all. Faults in an order's life have none in calls that change none.
    var operations: Set<Operation>? {
        switch self {
        case .order(let fault): fault.operations
        case .fills: [.placeOrder]
        case .event(.cursor): [.streamExecutions]
        case .visibility(let fault): fault.operations
        case .latency, .rpc, .event, .crash, .capacity, .transport: nil
        }
    }
}
