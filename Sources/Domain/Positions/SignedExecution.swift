/// Shares that came or went for one account and instrument: an execution with its side.
public struct SignedExecution: Hashable, Sendable {
    public let side: Side
    public let execution: Execution

    public init(side: Side, execution: Execution) {
        self.side = side
        self.execution = execution
    }

    /// Bought shares count up, sold ones down.
    public var signedQuantity: Int64 {
        switch side {
        case .buy: execution.quantity.unscaled
        case .sell: -execution.quantity.unscaled
        }
    }
}
