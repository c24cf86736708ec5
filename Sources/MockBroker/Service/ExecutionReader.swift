internal import Contracts
internal import Domain
internal import Protobuf

/// One reader of the feed: a place in the log, not a queue, so that a slow client costs nothing but its own time.
struct ExecutionReader {
    private static let batch = 64

    /// A report, and what rules make of delivering it.
    private struct Delivery: Sendable {
        let report: BrokerSequencedReport
        let copies: Int
        /// Not delivered before.
        let due: UnixTime
        let decisions: [RuleDecision]
    }

    let core: BrokerCore
    let space: SpaceID
    /// The number of the request that opened the stream.
    let stream: Int
    let heartbeatInterval: Duration
    var sequence: Int

    /// Hands each report on disk to `send`, as rules say, and a heartbeat when there was nothing for an interval, the
    /// first one at once. Ends by throwing: what `send` throws, `CancellationError`, or a refusal when the broker stops
    /// or the namespace ends.
    consuming func run(_ send: (BrokerExecutionEvent.Event) async throws -> Void) async throws -> Never {
        var quietSince: UnixTime?
        /// Reports up to here were there before.
        let replayEnd = try core.lastCursor(in: space).sequence
        while true {
            let rings = core.feedBell.rings
            let settings = core.settingsBell.rings
            let page = try core.feed(in: space, after: sequence, limit: Self.batch) { book, sequence, now in
                Self.delivery(of: sequence, isReplay: sequence <= replayEnd, book, at: now)
            }
            let ready = page.reports.prefix { $0.due <= page.now }
            if !ready.isEmpty {
                try await deliver(ready, send)
                sequence += ready.count
                quietSince = page.now
                continue
            }
            let waiting = page.reports.first
            try core.checkRunning()
            if let since = quietSince, page.now < since + heartbeatInterval {
                let next = min(since + heartbeatInterval, waiting?.due ?? since + heartbeatInterval)
                try await core.waitForNews(in: space, past: rings, settings: settings, until: next)
            } else {
                // What is still on its way does not exist yet for this reader.
                let last =
                    waiting == nil ? try core.lastCursor(in: space) : try core.cursor(in: space, after: sequence)
                try await send(
                    .heartbeat(
                        BrokerHeartbeat(
                            lastCursor: last.text, lastSequence: Int64(last.sequence),
                            serverTime: Google_Protobuf_Timestamp(page.now))))
                quietSince = page.now
            }
        }
    }

    private static func delivery(
        of sequence: Int, isReplay: Bool, _ book: borrowing BrokerBook, at now: UnixTime
    ) -> Delivery {
        let (decisions, firings) = book.offer(sequence, at: now)
        var copies = 1
        var delay: Int64 = 0
        for firing in firings where firing.point == .beforeEvent {
            switch firing.action {
            case .event(.duplicate(let more)): copies += more
            case .latency: delay += max(0, firing.values.first ?? 0)
            case .rpc, .order, .fills, .crash: break
            }
        }
        var report = book.report(sequence)
        report.replayed = isReplay
        return Delivery(
            report: report, copies: copies, due: book.feed[sequence - 1].at + .microseconds(delay),
            decisions: decisions)
    }

    /// Sends what is due, and notes what was delivered, also when the client goes meanwhile.
    private func deliver(
        _ deliveries: ArraySlice<Delivery>, _ send: (BrokerExecutionEvent.Event) async throws -> Void
    ) async throws {
        var facts: [OfferFact] = []
        let result: Result<Void, any Error>
        do {
            for delivery in deliveries {
                for _ in 0..<delivery.copies { try await send(.report(delivery.report)) }
                facts.append(
                    OfferFact(
                        stream: stream, sequence: Int(delivery.report.sequence),
                        fates: [.delivered] + Array(repeating: .duplicated, count: delivery.copies - 1),
                        decisions: delivery.decisions))
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try core.note(in: space) { now in facts.map { .offered($0, at: now) } }
        try result.get()
    }
}
