internal import Contracts
internal import Domain

extension Behavior {
    /// Reads a behaviour; what is not set has its default.
    init(_ wire: BrokerBehavior) throws(InvalidBehavior) {
        self.init()
        seed = wire.seed
        replyLatency = Latency(wire.replyLatency)
        fillLatency = Latency(wire.fillLatency)
        cancelLatency = Latency(wire.cancelLatency)
        feedLatency = Latency(wire.feedLatency)
        lostReplyPer10000 = wire.lostReplyPer10000
        loseFirstReplies = wire.loseFirstReplies
        lostRequestPer10000 = wire.lostRequestPer10000
        fillCopies = wire.fillCopies
        switch wire.idempotencyMode {
        case .unspecified, .returnOriginal: idempotencyMode = .returnOriginal
        case .rejectDuplicate: idempotencyMode = .rejectDuplicate
        case .echoOnly: idempotencyMode = .echoOnly
        case .unrecognized: throw InvalidBehavior(path: "idempotency_mode", problem: "is unknown")
        }
        fillParts = wire.fillParts
        switch wire.fillMode {
        case .unspecified, .marketable: fillMode = .marketable
        case .manual: fillMode = .manual
        case .unrecognized: throw InvalidBehavior(path: "fill_mode", problem: "is unknown")
        }
        visibilityDelayMilliseconds = wire.visibilityDelayMilliseconds
        try validate()
    }
}

extension Behavior.Latency {
    fileprivate init(_ wire: BrokerLatency?) {
        self.init(
            minimumMilliseconds: wire?.minimumMilliseconds ?? 0, maximumMilliseconds: wire?.maximumMilliseconds ?? 0)
    }
}

extension BrokerBehavior {
    init(_ behavior: Behavior) {
        self.init(
            seed: behavior.seed, replyLatency: BrokerLatency(behavior.replyLatency),
            fillLatency: BrokerLatency(behavior.fillLatency), lostReplyPer10000: behavior.lostReplyPer10000,
            loseFirstReplies: behavior.loseFirstReplies, lostRequestPer10000: behavior.lostRequestPer10000,
            fillCopies: behavior.fillCopies, idempotencyMode: BrokerIdempotencyMode(behavior.idempotencyMode),
            fillParts: behavior.fillParts, fillMode: behavior.fillMode == .manual ? .manual : .marketable,
            visibilityDelayMilliseconds: behavior.visibilityDelayMilliseconds,
            cancelLatency: BrokerLatency(behavior.cancelLatency), feedLatency: BrokerLatency(behavior.feedLatency))
    }
}

extension BrokerLatency {
    fileprivate init(_ latency: Behavior.Latency) {
        self.init(
            minimumMilliseconds: latency.minimumMilliseconds, maximumMilliseconds: latency.maximumMilliseconds)
    }
}

extension BrokerIdempotencyMode {
    init(_ mode: IdempotencyMode) {
        switch mode {
        case .returnOriginal: self = .returnOriginal
        case .rejectDuplicate: self = .rejectDuplicate
        case .echoOnly: self = .echoOnly
        }
    }
}
