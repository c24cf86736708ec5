package import RPCCore

/// What became of the calls of a load. A value; times count from the start of the measurement.
package struct LoadTally: Sendable {
    /// Calls that were due, or begun where nothing is due.
    package private(set) var offered = 0
    /// Calls that were due and never begun, since too many were under way.
    package private(set) var dropped = 0
    package private(set) var inFlight = 0
    /// Ended calls by status.
    package private(set) var statuses: [Status.Code: Int] = [:]
    /// Of the calls that ended with OK; the others have a histogram of their own, or quick refusals would look like speed.
    package private(set) var latencies = LatencyHistogram()
    package private(set) var failureLatencies = LatencyHistogram()
    package private(set) var sentMessages = 0
    package private(set) var receivedMessages = 0
    package private(set) var lastEnd: Duration = .zero
    /// The messages of failures, the first of each code.
    package private(set) var examples: [Status.Code: String] = [:]

    /// Since the last look: ended calls, and the latencies of those that were OK.
    private var recent = LatencyHistogram()
    private var recentReceived = 0

    package init() {}

    package var ended: Int { statuses.values.reduce(0, +) }
    package var succeeded: Int { statuses[.ok] ?? 0 }

    /// Begins a call; false, and it is dropped, when more than `limit` are under way.
    mutating func begin(isMeasured: Bool, limit: Int) -> Bool {
        if isMeasured { offered += 1 }
        guard inFlight < limit else {
            if isMeasured { dropped += 1 }
            return false
        }
        inFlight += 1
        return true
    }

    struct Outcome {
        var status = Status.ok
        var latency: Duration
        var end: Duration
        var sentMessages: Int
        var receivedMessages: Int
        var isMeasured: Bool
    }

    mutating func end(_ outcome: Outcome) {
        inFlight -= 1
        guard outcome.isMeasured else { return }
        statuses[outcome.status.code, default: 0] += 1
        sentMessages += outcome.sentMessages
        receivedMessages += outcome.receivedMessages
        recentReceived += outcome.receivedMessages
        lastEnd = max(lastEnd, outcome.end)
        if outcome.status.isOK {
            latencies.record(outcome.latency)
            recent.record(outcome.latency)
        } else {
            failureLatencies.record(outcome.latency)
            if examples[outcome.status.code] == nil { examples[outcome.status.code] = outcome.status.message }
        }
    }

    /// What happened since the last look.
    package struct Look: Sendable {
        /// Nothing is counted yet.
        package let isWarmingUp: Bool
        package let latencies: LatencyHistogram
        package let receivedMessages: Int
        package let inFlight: Int
        package let failed: Int
        package let dropped: Int
    }

    package mutating func look() -> Look {
        defer {
            recent = LatencyHistogram()
            recentReceived = 0
        }
        return Look(
            isWarmingUp: offered == 0, latencies: recent, receivedMessages: recentReceived, inFlight: inFlight,
            failed: ended - succeeded,
            dropped: dropped)
    }
}
