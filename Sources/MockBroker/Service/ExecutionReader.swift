internal import Contracts
internal import Domain
internal import Protobuf

/// One reader of the feed: a place in the log, not a queue, so that a slow client costs nothing but its own time.
struct ExecutionReader {
    private static let batch = 64

    private struct Delivery: Sendable {
        let report: BrokerSequencedReport
        let copies: Int32
        /// Not delivered before.
        let due: UnixTime
    }

    let core: BrokerCore
    let heartbeatInterval: Duration
    var sequence: Int

    /// Hands each report on disk to `send`, fills as often as the behaviour says, and a heartbeat when there was
    /// nothing for an interval, the first one at once. Ends by throwing: what `send` throws, `CancellationError`, or
    /// a refusal when the broker stops.
    consuming func run(_ send: (BrokerExecutionEvent.Event) async throws -> Void) async throws -> Never {
        var quietSince: UnixTime?
        while true {
            let rings = core.feedBell.rings
            let page = core.feed(after: sequence, limit: Self.batch) { book, sequence in
                let isFill = book.feed[sequence - 1].kind == .trade
                return Delivery(
                    report: book.report(sequence), copies: isFill ? max(1, book.behavior.fillCopies) : 1,
                    due: book.deliveryTime(sequence))
            }
            var waiting: Delivery?
            for delivery in page.reports {
                guard delivery.due <= core.clock.now else {
                    waiting = delivery
                    break
                }
                for _ in 0..<delivery.copies { try await send(.report(delivery.report)) }
                sequence += 1
                quietSince = core.clock.now
            }
            guard page.reports.isEmpty || waiting != nil else { continue }
            try core.checkRunning()
            let now = core.clock.now
            if let since = quietSince, now < since + heartbeatInterval {
                let next = min(since + heartbeatInterval, waiting?.due ?? since + heartbeatInterval)
                try await core.feedBell.wait(past: rings, until: next, on: core.clock)
            } else {
                // What is still on its way does not exist yet for this reader.
                let last = waiting == nil ? core.lastCursor : core.cursor(after: sequence)
                try await send(
                    .heartbeat(
                        BrokerHeartbeat(
                            lastCursor: last.text, lastSequence: Int64(last.sequence),
                            serverTime: Google_Protobuf_Timestamp(now))))
                quietSince = now
            }
        }
    }
}
