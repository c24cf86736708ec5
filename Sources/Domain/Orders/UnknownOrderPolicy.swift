/// When to ask about an unknown order, when to send it again, and when to stop.
///
/// A pure table: the same facts at the same instant give the same step.
public struct UnknownOrderPolicy: Hashable, Sendable {
    /// Look-ups take place this long after the outcome became unknown, ascending.
    public var probeOffsets: [Duration]
    /// Once the offsets are used up, look-ups follow at this distance.
    public var probeInterval: Duration
    /// The wait before the first, second, … resend, counted from when the outcome became unknown, ascending. Their
    /// number is the limit of resends.
    public var resendDelays: [Duration]
    /// No resend of a market order this long after its first attempt.
    public var marketTimeToLive: Duration
    /// No resend of a limit order this long after its first attempt.
    public var limitTimeToLive: Duration
    /// No resend past this share of the broker's deduplication window.
    public var deduplicationShare: BasisPoints
    /// How many look-ups past the visibility delay have to miss before an id that can no longer be accepted counts as
    /// never accepted. One is never enough.
    public var missesToConclude: Int
    /// A person takes over this long after the first attempt.
    public var reviewAfter: Duration
    /// Whether a look-up has to miss before the same id is sent again, where the broker can look ids up.
    public var asksBeforeResending: Bool
    /// The greatest deviation of each delay to either side, in hundredths, 0 to 100.
    public var jitterPercent: Int

    public init(
        probeOffsets: [Duration] = [.seconds(1), .seconds(3), .seconds(10), .seconds(30), .seconds(60)],
        probeInterval: Duration = .seconds(60),
        resendDelays: [Duration] = [.seconds(1), .seconds(3), .seconds(10)],
        marketTimeToLive: Duration = .seconds(30), limitTimeToLive: Duration = .seconds(300),
        deduplicationShare: BasisPoints = BasisPoints(8000), missesToConclude: Int = 3,
        reviewAfter: Duration = .seconds(1800), asksBeforeResending: Bool = true, jitterPercent: Int = 20
    ) {
        precondition(!probeOffsets.isEmpty && probeInterval > .zero, "an unknown order is asked about")
        precondition(missesToConclude >= 2, "one look-up that misses proves nothing")
        precondition((0...100).contains(jitterPercent), "jitter is a share of the delay")
        self.probeOffsets = probeOffsets
        self.probeInterval = probeInterval
        self.resendDelays = resendDelays
        self.marketTimeToLive = marketTimeToLive
        self.limitTimeToLive = limitTimeToLive
        self.deduplicationShare = deduplicationShare
        self.missesToConclude = missesToConclude
        self.reviewAfter = reviewAfter
        self.asksBeforeResending = asksBeforeResending
        self.jitterPercent = jitterPercent
    }

    /// The next step at `now`.
    public func next(
        _ facts: UnknownOrderFacts, broker: BrokerCapabilities, sessionEndsAt: UnixTime?, isHalted: Bool, now: UnixTime
    ) -> UnknownOrderStep {
        if isNeverAccepted(facts, broker: broker, sessionEndsAt: sessionEndsAt, now: now) { return .conclude }
        guard now - facts.firstSentAt < reviewAfter else { return .review }
        let hasAsked = facts.misses > 0 || !broker.looksUpByClientID || !asksBeforeResending
        if hasAsked, let delay = resendDelay(facts) {
            let at = max(now, facts.unknownSince + delay)
            if allowsResend(facts, broker: broker, sessionEndsAt: sessionEndsAt, isHalted: isHalted, at: at) {
                return .resend(at: at)
            }
        }
        guard broker.looksUpByClientID else { return .review }
        return .probe(at: max(now, facts.unknownSince + probeOffset(facts)))
    }

    /// Whether the same id may be sent once more at `at`. Asked when a resend is planned and again when it is due.
    public func allowsResend(
        _ facts: UnknownOrderFacts, broker: BrokerCapabilities, sessionEndsAt: UnixTime?, isHalted: Bool, at: UnixTime
    ) -> Bool {
        guard broker.idempotencyMode.makesResendSafe else { return false }
        guard !isHalted, !facts.isCancelWanted, !facts.isSealed else { return false }
        guard facts.attempts - 1 < resendDelays.count else { return false }
        if let sessionEndsAt, at >= sessionEndsAt { return false }
        let age = at - facts.firstSentAt
        guard age < timeToLive(of: facts.type) else { return false }
        return age < broker.deduplicationWindow / 10_000 * Int(deduplicationShare.rawValue)
    }

    /// The wait before an attempt that was not sent, or a cancel without an answer, is tried again; `attempt` counts
    /// from 1.
    public func retryDelay(afterAttempt attempt: Int, of order: OrderID) -> Duration {
        let index = max(0, attempt - 1)
        let delay = index < probeOffsets.count ? probeOffsets[index] : probeInterval
        return jittered(delay, order, "retry", index)
    }

    public func timeToLive(of type: OrderType.Name) -> Duration {
        switch type {
        case .market: marketTimeToLive
        case .limit: limitTimeToLive
        }
    }

    private func isNeverAccepted(
        _ facts: UnknownOrderFacts, broker: BrokerCapabilities, sessionEndsAt: UnixTime?, now: UnixTime
    ) -> Bool {
        if facts.isSealed, !broker.looksUpByClientID { return true }
        guard facts.misses >= missesToConclude else { return false }
        if facts.isSealed { return true }
        guard facts.timeInForce != .goodTillCancel, let sessionEndsAt else { return false }
        return now >= sessionEndsAt + broker.visibilityDelay
    }

    private func resendDelay(_ facts: UnknownOrderFacts) -> Duration? {
        let resends = facts.attempts - 1
        guard resends < resendDelays.count else { return nil }
        return jittered(resendDelays[resends], facts.order, "resend", resends)
    }

    /// The jitter is a share of the distance to the probe before, so that probes keep their order.
    private func probeOffset(_ facts: UnknownOrderFacts) -> Duration {
        let previous = facts.probes == 0 ? .zero : plannedOffset(facts.probes - 1)
        return previous + jittered(plannedOffset(facts.probes) - previous, facts.order, "probe", facts.probes)
    }

    private func plannedOffset(_ probe: Int) -> Duration {
        guard probe >= probeOffsets.count else { return probeOffsets[probe] }
        return probeOffsets[probeOffsets.count - 1] + probeInterval * (probe - probeOffsets.count + 1)
    }

    private func jittered(_ delay: Duration, _ order: OrderID, _ purpose: String, _ index: Int) -> Duration {
        var hash = StableHash()
        hash.combine(order.text)
        hash.combine(purpose)
        hash.combine(Int64(index))
        let permille = Int(hash.bits % 2001) - 1000
        return delay + delay * (permille * jitterPercent) / 100_000
    }
}
