package import Contracts
internal import Domain
internal import Protobuf

/// Rule sets that nobody wrote: drawn from a seed, and made smaller until each rule is needed to fail.
package enum Swarm {
    /// The rules of this seed, one to six, each from a table of faults with drawn strength.
    package static func rules(seed: Int64) -> [BrokerRule] {
        var draw = Draw(seed: seed, rule: "swarm", subject: "rules", attempt: 1)
        var left = Array(faults.indices)
        let count = Int(draw.within(1...6))
        var rules: [BrokerRule] = []
        for _ in 0..<count {
            let index = left.remove(at: Int(draw.below(UInt64(left.count))))
            var rule = faults[index](&draw)
            rule.probability = rule.probability ?? [0.02, 0.1, 0.3, 0.7][Int(draw.below(4))]
            rule.note = "swarm \(seed)"
            rules.append(rule)
        }
        return rules.sorted { $0.ruleID < $1.ruleID }
    }

    /// A smallest part of `rules` with which `fails` still holds: without any one of them it does not.
    ///
    /// - Parameter fails: whether a run with these rules fails; asked at most about n² times.
    package static func shrink(
        _ rules: [BrokerRule], fails: ([BrokerRule]) async throws -> Bool
    ) async rethrows -> [BrokerRule] {
        var rules = rules
        // Halves first, then quarters, … down to single rules (delta debugging).
        var parts = 2
        while rules.count > 1 {
            let size = max(1, (rules.count + parts - 1) / parts)
            var isSmaller = false
            for start in stride(from: 0, to: rules.count, by: size) {
                var rest = rules
                rest.removeSubrange(start..<min(start + size, rules.count))
                guard !rest.isEmpty, try await fails(rest) else { continue }
                rules = rest
                isSmaller = true
                break
            }
            if isSmaller {
                parts = max(2, parts - 1)
            } else if size == 1 {
                break
            } else {
                parts = min(rules.count, parts * 2)
            }
        }
        return rules
    }

    private typealias Maker = @Sendable (inout Draw) -> BrokerRule

    private static let changes: [BrokerOperation] = [.placeOrder, .cancelOrder, .replaceOrder]

    /// The table. Its order is part of what a seed means: new ones are added at the end.
    private static let faults: [Maker] = [
        { _ in .loseReplies("lost-ack", attempts: 1...3, probability: 1, of: changes).withoutProbability },
        { _ in .loseRequests("lost-request", attempts: 1...3, probability: 1, of: changes).withoutProbability },
        { _ in .status("unavailable", 14, "connection reset", at: .beforeRead).withoutProbability },
        { _ in .status("internal", 13, "internal error", at: .afterCommitBeforeReply, of: changes).withoutProbability },
        { draw in .slowReplies("slow-ack", latency(&draw), of: changes) },
        { draw in .slowReplies("slow-look-up", latency(&draw), of: [.getOrder, .listExecutions]) },
        { draw in .fills("fills", latency(&draw), parts: Int32(draw.within(1...5))) },
        { draw in .slowCancels("slow-cancel", latency(&draw)) },
        { draw in .slowDelivery("slow-delivery", latency(&draw)) },
        { draw in
            .event(
                "duplicate",
                .duplicate(
                    BrokerDuplicate(
                        copies: Int32(draw.within(1...3)),
                        kind: [.unspecified, .unspecified, .newExecID, .otherContent][Int(draw.below(4))])),
                of: [.trade]
            ).withoutProbability
        },
        { draw in
            .event("drop", .drop(BrokerDrop(fromLists: draw.hits(0.2))), of: [.trade]).attempts(1...2)
                .withoutProbability
        },
        { draw in .event("reorder", .reorder(BrokerReorder(window: Int32(draw.within(1...10))))).withoutProbability },
        { draw in .event("batch", .batch(BrokerBatch(count: Int32(draw.within(2...10))))).withoutProbability },
        { draw in
            let length = Google_Protobuf_Duration(seconds: draw.within(1...5))
            return .event("hang", .hang(BrokerHang(length: length, heartbeatsLie: draw.hits(0.3)))).attempts(1...2)
                .withoutProbability
        },
        { draw in
            .event("disconnect", .disconnect(BrokerDisconnect()), at: draw.hits(0.5) ? .beforeEvent : .afterEvent)
                .attempts(1...3).withoutProbability
        },
        { draw in
            BrokerRule(
                ruleID: "cursor",
                action: .event(
                    BrokerEventFault(fault: .cursor(BrokerCursorFault(offBy: -Int32(draw.within(1...10)))))))
        },
    ]

    private static func latency(_ draw: inout Draw) -> BrokerLatency {
        let median = Duration.milliseconds(draw.within(1...500))
        return .lognormal(median: median, sigma: 0.3 + draw.unit(), upTo: .seconds(10))
    }
}

extension BrokerRule {
    /// The same, for the swarm to draw how often.
    fileprivate var withoutProbability: BrokerRule {
        var rule = self
        rule.probability = nil
        return rule
    }

    fileprivate func attempts(_ range: ClosedRange<Int32>) -> BrokerRule {
        var rule = self
        var selector = rule.when ?? BrokerSelector()
        (selector.fromAttempt, selector.toAttempt) = (range.lowerBound, range.upperBound)
        rule.when = selector
        return rule
    }
}
