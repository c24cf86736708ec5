internal import Contracts
internal import Limits
internal import Logging
internal import RPCCore
internal import ServiceKit
internal import Synchronization

/// Reads one broker's feed for ever: resumes from the stored cursor, notices what a healthy stream lost, and fetches it.
///
/// Three tasks while a stream is open: one reads, one stores, one watches. Storing is idempotent and serialised by the
/// feed's row lock, so what is fetched and what is streamed may overlap freely.
final class FeedReader: Sendable {
    let brokerID: String
    private let client: BrokerServiceClient
    private let store: ExecutionStore
    private let configuration: FillReceiverConfiguration
    private let environment: ServiceEnvironment
    /// Called after each commit that wrote outbox rows.
    private let onStored: @Sendable () -> Void
    private let sight = Mutex(FeedSight(at: .now))

    init(
        brokerID: String, channel: any RPCChannel, store: ExecutionStore, configuration: FillReceiverConfiguration,
        environment: ServiceEnvironment, onStored: @escaping @Sendable () -> Void
    ) {
        self.brokerID = brokerID
        client = BrokerServiceClient(channel)
        self.store = store
        self.configuration = configuration
        self.environment = environment
        self.onStored = onStored
    }

    var currentSight: FeedSight { sight.withLock { $0 } }

    /// Until the task is cancelled: fetch what is missing, then follow the stream until it ends, then again.
    func run() async {
        let backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
        var failures = 0
        while !Task.isCancelled {
            let start = ContinuousClock.now
            var cause = "the broker has ended the stream"
            do {
                try await pull()
                try await follow()
            } catch {
                cause = String(describing: error)
            }
            sight.withLock { $0.connected = false }
            if Task.isCancelled { return }
            // A stream that lived for a while was well: its end is no further failure of a series.
            if start.duration(to: .now) >= .seconds(10) { failures = 0 }
            failures += 1
            if failures == 1 {
                environment.log.warning("feed.lost", metadata: ["broker_id": "\(brokerID)", "error": "\(cause)"])
            }
            // Ends early by cancellation only.
            try? await Task.sleep(for: backoff.delay(afterAttempt: failures, random: environment.random()))
        }
    }

    /// Fetches pages from the stored cursor until the broker says that nothing more is there.
    ///
    /// Reads on by the broker's own cursor: a report that cannot be stored in its place holds back the stored cursor,
    /// and not the reports behind it.
    private func pull() async throws {
        let feed = try await store.open()
        // Another receiver on the same database may have stored what this one's stream has lost.
        sight.withLock { $0.stored(upTo: feed.storedSequence, at: .now) }
        var cursor = feed.cursor
        while true {
            let page = try await client.listExecutions(
                BrokerListExecutionsRequest(cursor: cursor, pageSize: Int32(configuration.batchLimit)),
                options: CallOptions(timeout: configuration.pullTimeout))
            if !page.reports.isEmpty { try await save(page.reports) }
            if page.complete { return }
            guard !page.reports.isEmpty, page.nextCursor != cursor else {
                throw Status(.dataLoss, "the broker says that there is more and does not show it", certainty: .unknown)
            }
            cursor = page.nextCursor
        }
    }

    /// Follows the stream until it ends, breaks, or falls silent.
    private func follow() async throws {
        let feed = try await store.open()
        try await client.streamExecutions(BrokerStreamExecutionsRequest(cursor: feed.cursor)) { events in
            sight.withLock { sight in
                sight.opened(at: .now)
                sight.stored(upTo: feed.storedSequence, at: .now)
            }
            environment.log.info("feed.opened", metadata: ["broker_id": "\(brokerID)", "cursor": "\(feed.cursor)"])
            let channel = BatchChannel<BrokerSequencedReport>(capacity: configuration.bufferLimit)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { channel.finish() }
                    for try await event in events {
                        guard await self.take(event, into: channel) else { return }
                    }
                }
                group.addTask {
                    while let batch = await channel.receiveBatch(maximum: self.configuration.batchLimit) {
                        try await self.save(batch)
                    }
                }
                group.addTask { try await self.watch() }
                // The first to end ends the stream; what waits unstored in the channel comes again from the cursor.
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// False when nobody stores any more.
    private func take(_ event: BrokerExecutionEvent, into channel: BatchChannel<BrokerSequencedReport>) async -> Bool {
        switch event.event {
        case .report(let report):
            sight.withLock { $0.heard(of: report.sequence, at: .now) }
            return await channel.send(report)
        case .heartbeat(let heartbeat):
            sight.withLock { $0.heard(of: heartbeat.lastSequence, at: .now) }
            return true
        case nil: return true  // A newer broker's event: nothing we know how to store.
        }
    }

    /// Fetches when the broker stays ahead of the store, and now and then although all looks well. Throws on silence.
    ///
    /// Fetches that bring nothing get rarer, down to one in each `pullInterval`.
    private func watch() async throws {
        var lastPull = ContinuousClock.now
        var patience = configuration.gapPatience
        while true {
            try await Task.sleep(for: min(configuration.gapPatience, .seconds(1)) / 2)
            let now = ContinuousClock.now
            let seen = currentSight
            guard seen.lastEvent.duration(to: now) < configuration.silenceLimit else {
                throw Status(.unavailable, "the feed has fallen silent", certainty: .unknown)
            }
            let isBehind = seen.isBehind(for: patience, at: now)
            guard isBehind || lastPull.duration(to: now) >= configuration.pullInterval else { continue }
            if isBehind { reportGap(seen) }
            try await pull()
            lastPull = .now
            let isStillBehind = sight.withLock { sight in
                sight.fetched(at: .now)
                return sight.storedSequence <= seen.storedSequence && sight.awaited != nil
            }
            patience = isStillBehind ? min(patience * 2, configuration.pullInterval) : configuration.gapPatience
        }
    }

    private func reportGap(_ sight: FeedSight) {
        environment.log.warning(
            "feed.gap",
            metadata: [
                "broker_id": "\(brokerID)", "stored": .stringConvertible(sight.storedSequence),
                "broker": .stringConvertible(sight.brokerSequence),
            ])
        environment.metrics.counter(
            "meridian_feed_gaps_total", help: "Times a stream lost reports that had to be fetched.",
            labels: ["broker": brokerID]
        ).increment()
    }

    /// Stores reports, whatever their order.
    private func save(_ reports: [BrokerSequencedReport]) async throws {
        let plan = try await store.store(reports)
        sight.withLock { $0.stored(upTo: plan.feed.storedSequence, at: .now) }
        if !plan.new.isEmpty { onStored() }
    }
}
