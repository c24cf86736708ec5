package import Contracts

/// What a rule does when it fires. Its numbers are drawn when that is decided and are part of the decision.
package enum RuleAction: Hashable, Sendable {
    /// Values: the delay.
    case latency(LatencyDistribution)
    case rpc(RPCFault)
    case order(OrderFault)
    /// Values: see `FillScript`.
    case fills(FillScript)
    case event(EventFault)
    case crash(CrashLoss)
    case transport(WireFault)
    /// Values: see `VisibilityFault`.
    case visibility(VisibilityFault)
    case capacity(CapacityFault)

    /// At one place, the first rule of a kind that fires settles it for its kind.
    package enum Kind: UInt8, Hashable, Sendable {
        case latency, rpc, order, fills, event, crash, visibility, capacity, transport
    }

    package var kind: Kind {
        switch self {
        case .latency: .latency
        case .rpc: .rpc
        case .order: .order
        case .fills: .fills
        case .event: .event
        case .crash: .crash
        case .transport: .transport
        case .visibility: .visibility
        case .capacity: .capacity
        }
    }

    /// Draws what this action needs, each time in the same order.
    func draw(_ draw: inout Draw, _ occasion: Occasion) -> [Int64] {
        switch self {
        case .latency(let latency): [latency.draw(&draw, attempt: occasion.attempt, at: occasion.now)]
        case .order(let fault): fault.draw(&draw, occasion)
        case .fills(let script): script.draw(&draw, occasion)
        case .event(let fault): fault.draw(&draw, occasion)
        case .visibility(let fault): fault.draw(&draw, occasion)
        case .rpc, .crash, .capacity, .transport: []
        }
    }
}

/// Another answer than the broker's own.
package enum RPCFault: Hashable, Sendable {
    /// `detail` is nil for an answer as a proxy would give it.
    case status(code: Int, message: String, detail: WireErrorDetail?, retryAfter: Duration?)
    case noAnswer
    /// OK with a message that is not the right one.
    case wrongBody(WrongBody)

    package enum WrongBody: Hashable, Sendable {
        case empty
        /// The ids of another order.
        case otherOrder
        case unknownEnum
        case unknownField
    }
}

/// What of its truth a process that dies takes along.
package enum CrashLoss: Hashable, Sendable {
    case nothing
    /// What was written during this time.
    case lastWrites(Duration)
    case everything
}
