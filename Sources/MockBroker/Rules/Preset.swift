package import Contracts
internal import Protobuf

/// A broker with a character: behaviour and rules under a name.
package struct Preset: Sendable {
    package let name: String
    /// For people, in a line.
    package let summary: String
    package let behavior: BrokerBehavior
    package let rules: [BrokerRule]

    /// The preset as it is with this seed.
    package func seeded(_ seed: Int64) -> Preset {
        var behavior = behavior
        behavior.seed = seed
        let rules = name == Self.swarmName ? Swarm.rules(seed: seed) : rules
        return Preset(name: name, summary: summary, behavior: behavior, rules: rules)
    }

    package static func named(_ name: String) -> Preset? { all.first { $0.name == name } }

    private static let swarmName = "swarm"
    private static let changes: [BrokerOperation] = [.placeOrder, .cancelOrder, .replaceOrder]

    private init(
        name: String, summary: String, behavior: BrokerBehavior = BrokerBehavior(), rules: [BrokerRule]
    ) {
        self.name = name
        self.summary = summary
        self.behavior = behavior
        self.rules = rules
    }

    /// All of them, the friendliest first.
    package static let all: [Preset] = [
        Preset(name: "calm", summary: "no delays and no faults", rules: []),
        Preset(
            name: "overseas", summary: "an ocean away: answers after 120 ms, one in a hundred after 2 s", rules: far),
        Preset(
            name: "flaky", summary: "a bad line: some requests and answers are lost, streams end",
            rules: [
                .status("unavailable", 14, "connection reset", at: .beforeRead, probability: 0.03),
                .loseRequests(probability: 0.01, of: changes), .loseReplies(probability: 0.02, of: changes),
                .status(
                    "internal", 13, "internal error", at: .afterCommitBeforeReply, probability: 0.01, of: changes),
                .event("disconnect", .disconnect(BrokerDisconnect()), probability: 0.02),
                .event("duplicate", .duplicate(BrokerDuplicate(copies: 1)), of: [.trade], probability: 0.02),
            ]),
        Preset(
            name: "brownout", summary: "drowning: slow, and one request in seven is refused with a wait",
            rules: [
                BrokerRule(
                    ruleID: "exhausted", when: BrokerSelector(operations: changes + [.getOrder]), at: .beforeRead,
                    action: .rpc(
                        BrokerRpcFault(
                            fault: .status(
                                BrokerStatusFault(
                                    code: 8, message: "too many requests",
                                    retryAfter: Google_Protobuf_Duration(seconds: 1))))), probability: 0.15),
                BrokerRule(
                    ruleID: "slow", at: .beforeRead,
                    action: .latency(.lognormal(median: .milliseconds(800), sigma: 1, upTo: .seconds(30)))),
            ]),
        Preset(
            name: "lost_acks", summary: "three in ten first answers to orders never come, although the order is placed",
            rules: [.loseReplies("lost-ack", attempts: 1...2, probability: 0.3, of: changes)]),
        Preset(
            name: "duplicate_storm",
            summary: "each fill comes three times, some under another id or with another price",
            rules: [
                duplicate("other-content", .otherContent, copies: 1, priority: 2, probability: 0.05),
                duplicate("other-id", .newExecID, copies: 1, priority: 1, probability: 0.05),
                duplicate("same", .unspecified, copies: 2, priority: 0, probability: 1),
            ]),
        Preset(
            name: "fill_loss", summary: "one fill in five is lost by a healthy stream, some by lists, too",
            rules: [
                .event(
                    "drop-everywhere", .drop(BrokerDrop(fromLists: true)), of: [.trade], probability: 0.05, priority: 1),
                .event("drop", .drop(BrokerDrop()), of: [.trade], probability: 0.2),
            ]),
        Preset(
            name: "reconnect_loop", summary: "streams end again and again, and begin a little early",
            rules: [
                .event("disconnect", .disconnect(BrokerDisconnect()), at: .afterEvent, probability: 0.3),
                BrokerRule(
                    ruleID: "early", action: .event(BrokerEventFault(fault: .cursor(BrokerCursorFault(offBy: -3)))),
                    probability: 0.5),
            ]),
        Preset(
            name: swarmName, summary: "rules drawn from the seed",
            rules: Swarm.rules(seed: 0)),
    ]

    private static let far: [BrokerRule] = [
        .slowReplies("ack", .lognormal(median: .milliseconds(120), sigma: 1.21, upTo: .seconds(30)), of: changes),
        .slowReplies("look-up", .lognormal(median: .milliseconds(80), sigma: 0.8, upTo: .seconds(30)), of: [.getOrder]),
        .fills("fill", .lognormal(median: .milliseconds(250), sigma: 0.8, upTo: .seconds(60))),
        .slowDelivery("delivery", .lognormal(median: .milliseconds(60), sigma: 0.5, upTo: .seconds(10))),
    ]

    private static func duplicate(
        _ id: String, _ kind: BrokerDuplicateKind, copies: Int32, priority: Int32, probability: Double
    ) -> BrokerRule {
        .event(
            id, .duplicate(BrokerDuplicate(copies: copies, kind: kind)), of: [.trade], probability: probability,
            priority: priority)
    }
}
