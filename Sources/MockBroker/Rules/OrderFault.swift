package import Domain

/// A fault in the life of an order.
package enum OrderFault: Hashable, Sendable {
    /// The request is refused.
    case refuse(reason: ReasonCode, text: String)
    /// A cancel is carried out later. Values: how much later.
    case slow(LatencyDistribution)

    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        switch self {
        case .refuse: []
        case .slow(let latency): [latency.draw(&draw, attempt: occasion.attempt, at: occasion.now)]
        }
    }
}
