internal import Protobuf

// The faults that tests ask for most, in a line each.
extension BrokerRule {
    /// Holds the answer back until the caller gives up: the order is placed, and nobody learns of it.
    ///
    /// - Parameter attempts: of each order, counted from 1.
    public static func loseReplies(
        _ id: String = "lose-replies", attempts: ClosedRange<Int32> = 1...Int32.max, probability: Double = 1,
        of operations: [BrokerOperation] = [.placeOrder]
    ) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(operations: operations, attempts: attempts),
            at: .afterCommitBeforeReply, action: .rpc(BrokerRpcFault(fault: .noAnswer(BrokerNoAnswer()))),
            probability: probability)
    }

    /// Drops requests before the broker reads them: nothing happens, and nobody learns of that either.
    public static func loseRequests(
        _ id: String = "lose-requests", attempts: ClosedRange<Int32> = 1...Int32.max, probability: Double = 1,
        of operations: [BrokerOperation] = [.placeOrder]
    ) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(operations: operations, attempts: attempts), at: .beforeRead,
            action: .rpc(BrokerRpcFault(fault: .noAnswer(BrokerNoAnswer()))), probability: probability)
    }

    /// Answers late, after the commit.
    public static func slowReplies(
        _ id: String = "slow-replies", _ latency: BrokerLatency, of operations: [BrokerOperation] = []
    ) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(operations: operations), at: .afterCommitBeforeReply,
            action: .latency(latency))
    }

    /// Fills orders late, or in parts.
    public static func fills(_ id: String = "fills", _ latency: BrokerLatency? = nil, parts: Int32 = 1) -> BrokerRule {
        BrokerRule(
            ruleID: id, action: .fills(BrokerFillScript(shape: .split(BrokerSplit(parts: parts)), latency: latency)))
    }

    /// Carries cancels out late.
    public static func slowCancels(_ id: String = "slow-cancels", _ latency: BrokerLatency) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(operations: [.cancelOrder]),
            action: .order(BrokerOrderFault(fault: .slow(BrokerSlow(latency: latency)))))
    }

    /// Delivers fills more than once.
    public static func duplicateFills(_ id: String = "duplicate-fills", copies: Int32) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(execTypes: [.trade]), at: .beforeEvent,
            action: .event(BrokerEventFault(fault: .duplicate(BrokerDuplicate(copies: copies)))))
    }

    /// Delivers reports late; their order is kept.
    public static func slowDelivery(_ id: String = "slow-delivery", _ latency: BrokerLatency) -> BrokerRule {
        BrokerRule(ruleID: id, at: .beforeEvent, action: .latency(latency))
    }
}

extension BrokerSelector {
    /// Calls of these operations, at these attempts of each subject.
    public init(operations: [BrokerOperation], attempts: ClosedRange<Int32>) {
        self.init(
            operations: operations, fromAttempt: attempts.lowerBound,
            toAttempt: attempts.upperBound == Int32.max ? 0 : attempts.upperBound)
    }
}

extension BrokerLatency {
    /// Always this long.
    public static func fixed(_ duration: Duration) -> BrokerLatency {
        BrokerLatency(distribution: .fixed(Google_Protobuf_Duration(duration)))
    }

    /// Evenly between two bounds.
    public static func uniform(_ range: ClosedRange<Duration>) -> BrokerLatency {
        BrokerLatency(
            distribution: .uniform(
                BrokerUniform(
                    minimum: Google_Protobuf_Duration(range.lowerBound),
                    maximum: Google_Protobuf_Duration(range.upperBound))))
    }
}

extension BrokerRule {
    /// Answers with this status code of gRPC instead.
    public static func status(
        _ id: String, _ code: Int32, _ message: String, at point: BrokerInjectionPoint, probability: Double = 1,
        of operations: [BrokerOperation] = []
    ) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(operations: operations), at: point,
            action: .rpc(BrokerRpcFault(fault: .status(BrokerStatusFault(code: code, message: message)))),
            probability: probability)
    }

    /// Changes the delivery of reports of these kinds.
    public static func event(
        _ id: String, _ fault: BrokerEventFault.Fault, of kinds: [WireExecType] = [],
        at point: BrokerInjectionPoint = .unspecified, probability: Double = 1, priority: Int32 = 0
    ) -> BrokerRule {
        BrokerRule(
            ruleID: id, priority: priority, when: BrokerSelector(execTypes: kinds), at: point,
            action: .event(BrokerEventFault(fault: fault)), probability: probability)
    }
}

extension BrokerLatency {
    /// A median with a tail: `sigma` 0.5 is a mild one, 1.5 a heavy one.
    public static func lognormal(median: Duration, sigma: Double, upTo maximum: Duration) -> BrokerLatency {
        BrokerLatency(
            distribution: .lognormal(BrokerLognormal(median: Google_Protobuf_Duration(median), sigma: sigma)),
            maximum: Google_Protobuf_Duration(maximum))
    }
}
