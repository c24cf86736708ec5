/// What look-ups and lists do not show. `BookView` carries it out.
package enum VisibilityFault: Hashable, Sendable {
    /// An order, after its acceptance. Values: how long.
    case hidden(LatencyDistribution)
    /// Lists show the state of this long ago.
    case stale(Duration)
    case wrongPage(WrongPage)
    /// Closed orders, this long after their last report.
    case forgetClosed(Duration)

    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        switch self {
        case .hidden(let latency): [latency.draw(&draw, attempt: occasion.attempt, at: occasion.now)]
        case .stale, .wrongPage, .forgetClosed: []
        }
    }

    /// The calls in which it has a meaning.
    var operations: Set<Operation> {
        switch self {
        case .hidden, .forgetClosed: [.getOrder, .listOrders, .massStatus]
        case .stale: [.listOrders, .massStatus, .listExecutions, .listPositions, .getAccount]
        case .wrongPage: [.listOrders, .massStatus, .listExecutions, .listPositions]
        }
    }
}

/// How a page is wrong.
package enum WrongPage: Hashable, Sendable {
    /// Its second half is missing, and it says that it is complete.
    case truncated
    /// Its first row comes twice.
    case repeated
    /// Its rows are in reverse.
    case reordered
}
