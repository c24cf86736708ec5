package import Domain

/// A fault in the life of an order. Values: the delays that it names, in their order.
package enum OrderFault: Hashable, Sendable {
    /// The request is refused.
    case refuse(reason: ReasonCode, text: String)
    /// A cancel or replace is carried out later.
    case slow(LatencyDistribution)
    /// Accepted, and rejected by a report later. Until then it does not fill by itself.
    case rejectLater(LatencyDistribution, text: String)
    /// No NEW report.
    case neverAcknowledge
    /// Two of them.
    case acknowledgeTwice
    case unsolicitedCancel(LatencyDistribution, text: String)
    /// Halted, until the order ends when there is no length.
    case suspend(LatencyDistribution, length: LatencyDistribution?)
    /// A report that changes nothing.
    case restate(LatencyDistribution, text: String)
    /// A replacement gives the order another order id.
    case newOrderID

    /// The calls in which it has a meaning.
    var operations: Set<Operation> {
        switch self {
        case .refuse: Operation.changes
        case .slow: [.cancelOrder, .replaceOrder]
        case .rejectLater, .neverAcknowledge, .acknowledgeTwice, .unsolicitedCancel, .suspend, .restate: [.placeOrder]
        case .newOrderID: [.replaceOrder]
        }
    }

    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        let delays: [LatencyDistribution?] =
            switch self {
            case .refuse, .neverAcknowledge, .acknowledgeTwice, .newOrderID: []
            case .slow(let latency), .rejectLater(let latency, _), .unsolicitedCancel(let latency, _),
                .restate(let latency, _):
                [latency]
            case .suspend(let after, let length): [after, length]
            }
        return delays.compactMap { $0?.draw(&draw, attempt: occasion.attempt, at: occasion.now) }
    }
}
