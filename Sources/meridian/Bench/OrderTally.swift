import RPCTool

/// What became of each order of a load: a pure record, told by the generator and by the streams. Times count from the
/// start of the load.
struct OrderTally: Sendable {
    private struct Open {
        let scheduled: Duration
        let isMeasured: Bool
        var isAnswered = false
        var isFinished = false
    }

    /// Orders under way at most, answered or not.
    let outstandingLimit: Int
    private var open: [String: Open] = [:]

    /// Of the measured orders: how many were due.
    private(set) var offered = 0
    /// Those never sent, since too many were outstanding.
    private(set) var dropped = 0
    private(set) var answered = 0
    private(set) var filled = 0
    /// Failures by reason; an order counts once.
    private(set) var errors: [String: Int] = [:]
    private(set) var answers = LatencyHistogram()
    private(set) var fills = LatencyHistogram()
    private(set) var lastAnswer: Duration = .zero
    private(set) var lastFill: Duration = .zero

    init(outstandingLimit: Int) { self.outstandingLimit = outstandingLimit }

    var outstanding: Int { open.count }

    /// Notes an arrival; false when it must not be sent.
    /// - Parameter isMeasured: false for the orders that only warm the stack.
    mutating func arrive(_ id: String, scheduled: Duration, isMeasured: Bool) -> Bool {
        if isMeasured { offered += 1 }
        guard open.count < outstandingLimit else {
            if isMeasured { dropped += 1 }
            return false
        }
        open[id] = Open(scheduled: scheduled, isMeasured: isMeasured)
        return true
    }

    /// The order was taken on.
    mutating func answer(_ id: String, at time: Duration) {
        guard var order = open[id], !order.isAnswered else { return }
        order.isAnswered = true
        open[id] = order.isFinished ? nil : order
        guard order.isMeasured else { return }
        answered += 1
        lastAnswer = max(lastAnswer, time)
        answers.record(time - order.scheduled)
    }

    /// The order came to its end: its stream said so, before or after the answer.
    mutating func fill(_ id: String, at time: Duration) {
        guard var order = open[id], !order.isFinished else { return }
        order.isFinished = true
        open[id] = order.isAnswered ? nil : order
        guard order.isMeasured else { return }
        filled += 1
        lastFill = max(lastFill, time)
        fills.record(time - order.scheduled)
    }

    /// The order was refused, got no answer, or ended otherwise than filled. Failures while warming count too.
    mutating func fail(_ id: String, reason: String) {
        guard open.removeValue(forKey: id) != nil else { return }
        errors[reason, default: 0] += 1
    }

    /// Gives up on what is still under way.
    mutating func abandon() {
        for (id, order) in open {
            fail(id, reason: order.isAnswered ? "NOT_FILLED_IN_TIME" : "NOT_ANSWERED_IN_TIME")
        }
    }
}
