internal import Domain

/// One decision by chance, as a function of seed, knob, subject and attempt: no shared generator, so the order in
/// which threads decide changes nothing.
struct Draw {
    /// What is decided. The names are part of the decisions: renaming one changes every history.
    enum Knob: String {
        case replyLatency = "reply_latency"
        case cancelReplyLatency = "cancel_reply_latency"
        case fillLatency = "fill_latency"
        case cancelLatency = "cancel_latency"
        case feedLatency = "feed_latency"
        case lostReply = "lost_reply"
        case lostRequest = "lost_request"
    }

    private let bits: UInt64

    /// - Parameter ordinal: the attempt, or the part of an order, counted from 1.
    init(_ knob: Knob, seed: Int64, subject key: OrderKey, order: Int = 1, ordinal: Int) {
        var hash = StableHash()
        hash.combine(seed)
        hash.combine(knob.rawValue)
        hash.combine(key.account.text)
        hash.combine(key.clientOrder.text)
        hash.combine(Int64(order))
        hash.combine(Int64(ordinal))
        bits = hash.bits
    }

    /// 0 up to, but not including, `count`; evenly but for a bias below 2^-32 at our counts.
    func below(_ count: UInt64) -> UInt64 { bits.multipliedFullWidth(by: count).high }

    /// True for `share` of 10,000 draws.
    func hits(per10000 share: Int32) -> Bool { below(10_000) < UInt64(max(0, share)) }

    func duration(_ latency: Behavior.Latency) -> Duration {
        let span = UInt64(latency.maximumMilliseconds - latency.minimumMilliseconds) + 1
        return .milliseconds(latency.minimumMilliseconds + Int64(below(span)))
    }
}
