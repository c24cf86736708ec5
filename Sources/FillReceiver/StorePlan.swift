internal import Contracts
internal import Protobuf
internal import ServiceKit

/// What one delivery does to the store: pure, so that every order of arrivals can be tested.
struct StorePlan: Hashable {
    /// Where a feed stands in the store.
    struct Feed: Hashable {
        var cursor: String
        /// All reports of the feed up to this sequence are stored.
        var storedSequence: Int64
        var lastReceiverSequence: Int64
        var appliedReceiverSequence: Int64
    }

    struct NewExecution: Hashable {
        let receiverSequence: Int64
        let feedSequence: Int64
        let execID: String
        let clientOrderID: String
        /// Without its trace, which is no content: a broker may lose it, and the execution is the same.
        let report: [UInt8]
        /// What the broker echoed, if it is one; empty otherwise.
        let traceparent: String
    }

    struct Conflict: Hashable {
        let execID: String
        let report: [UInt8]
    }

    struct Repeats: Hashable {
        var duplicates: Int64 = 0
        var conflicts: Int64 = 0
        /// Of the last of them.
        var traceparent = ""
    }

    private(set) var feed: Feed
    private(set) var new: [NewExecution] = []
    private(set) var conflicts: [Conflict] = []
    /// By execution id.
    private(set) var repeats: [String: Repeats] = [:]
    /// Sequences of deliveries without a report or without an execution id, against the contract: raised, and not stored,
    /// because nothing could ever tell their copies apart. They do not hold the feed up.
    private(set) var unreadable: [Int64] = []
    /// The feed has sequences between what is stored and what came: they must be fetched.
    private(set) var hasGap = false

    /// - Parameter known: the stored report of each delivered execution id that is known.
    init(feed: Feed, known: [String: [UInt8]], deliveries: [BrokerSequencedReport]) {
        self.feed = feed
        var known = known
        for delivery in deliveries {
            guard var report = delivery.report, !report.execID.isEmpty else {
                unreadable.append(delivery.sequence)
                advance(past: delivery)
                continue
            }
            let traceparent = TraceContext(traceparent: report.traceparent)?.traceparent ?? ""
            report.traceparent = ""
            let bytes = report.encoded()
            if let stored = known[report.execID] {
                repeats[report.execID, default: Repeats()].traceparent = traceparent
                if stored == bytes {
                    repeats[report.execID, default: Repeats()].duplicates += 1
                } else {
                    repeats[report.execID, default: Repeats()].conflicts += 1
                    conflicts.append(Conflict(execID: report.execID, report: bytes))
                }
            } else {
                known[report.execID] = bytes
                self.feed.lastReceiverSequence += 1
                new.append(
                    NewExecution(
                        receiverSequence: self.feed.lastReceiverSequence, feedSequence: delivery.sequence,
                        execID: report.execID, clientOrderID: report.clientOrderID, report: bytes,
                        traceparent: traceparent))
            }
            advance(past: delivery)
        }
    }

    /// The cursor moves over what is stored without a gap, and never back: what comes early is stored all the same, and
    /// comes again when the gap is fetched.
    private mutating func advance(past delivery: BrokerSequencedReport) {
        if delivery.sequence == feed.storedSequence + 1 {
            feed.storedSequence = delivery.sequence
            feed.cursor = delivery.cursor
        } else if delivery.sequence > feed.storedSequence {
            hasGap = true
        }
    }
}
