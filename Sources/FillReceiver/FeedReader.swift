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
    /// What the reader knows of its feed at this moment.
    struct Sight {
        var connected = false
        var storedSequence: Int64 = 0
        /// The last sequence the broker says there is.
        var brokerSequence: Int64 = 0
        var lastEvent = ContinuousClock.now
        /// Since when the broker has been ahead of the store.
        var aheadSince: ContinuousClock.Instant?

        mutating func compare(at now: ContinuousClock.Instant) {
            aheadSince = brokerSequence > storedSequence ? aheadSince ?? now : nil
        }
    }

    let brokerID: String
    private let client: BrokerServiceClient
    private let store: ExecutionStore
    private let configuration: FillReceiverConfiguration
    private let environment: ServiceEnvironment
    /// Called after each commit that wrote outbox rows.
    private let onStored: @Sendable () -> Void
    private let sight = Mutex(Sight())

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

    var currentSight: Sight { sight.withLock { $0 } }

    /// Until the task is cancelled: fetch what is missing, then follow the stream until it ends, then again.
    func run() async {
        let backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
        var failures = 0
        while !Task.isCancelled {
            do {
                try await pull()
                failures = 0
                try await follow()
                failures = 1  // The stream ended: come back soon, but never in a tight loop.
            } catch {
                if Task.isCancelled { return }
                failures += 1
                if failures == 1 {
                    environment.log.warning(
                        "feed.lost", metadata: ["broker_id": "\(brokerID)", "error": "\(String(describing: error))"])
                }
            }
            sight.withLock { $0.connected = false }
            // Ends early by cancellation only.
            try? await Task.sleep(for: backoff.delay(afterAttempt: failures, random: environment.random()))
        }
    }

    /// Fetches pages from the stored cursor until the broker says that nothing more is there.
    private func pull() async throws {
        var cursor = try await store.open().cursor
        while true {
            let page = try await client.listExecutions(
                BrokerListExecutionsRequest(cursor: cursor, pageSize: Int32(configuration.batchLimit)),
                options: CallOptions(timeout: .seconds(10)))
            let reached = page.reports.isEmpty ? cursor : try await save(page.reports).cursor
            if page.complete { return }
            guard reached != cursor else {
                throw Status(.dataLoss, "the broker says that there is more and does not show it", certainty: .unknown)
            }
            cursor = reached
        }
    }

    /// Follows the stream until it ends, breaks, or falls silent.
    private func follow() async throws {
        let feed = try await store.open()
        try await client.streamExecutions(BrokerStreamExecutionsRequest(cursor: feed.cursor)) { events in
            sight.withLock { sight in
                sight.connected = true
                sight.lastEvent = .now
                sight.storedSequence = feed.storedSequence
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
        let now = ContinuousClock.now
        switch event.event {
        case .report(let report):
            sight.withLock { sight in
                sight.lastEvent = now
                sight.brokerSequence = max(sight.brokerSequence, report.sequence)
            }
            return await channel.send(report)
        case .heartbeat(let heartbeat):
            sight.withLock { sight in
                sight.lastEvent = now
                sight.brokerSequence = max(sight.brokerSequence, heartbeat.lastSequence)
                sight.compare(at: now)
            }
            return true
        case nil: return true  // A newer broker's event: nothing we know how to store.
        }
    }

    /// Fetches when the broker stays ahead of the store, and now and then although all looks well. Throws on silence.
    private func watch() async throws {
        var lastPull = ContinuousClock.now
        while true {
            try await Task.sleep(for: min(configuration.gapPatience, .seconds(1)) / 2)
            let now = ContinuousClock.now
            let sight = sight.withLock { sight in
                sight.compare(at: now)
                return sight
            }
            guard sight.lastEvent.duration(to: now) < configuration.silenceLimit else {
                throw Status(.unavailable, "the feed has fallen silent", certainty: .unknown)
            }
            let isBehind = sight.aheadSince.map { $0.duration(to: now) >= configuration.gapPatience } ?? false
            guard isBehind || lastPull.duration(to: now) >= configuration.pullInterval else { continue }
            if isBehind {
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
            try await pull()
            lastPull = .now
        }
    }

    /// Stores reports and returns where the feed stands then.
    @discardableResult
    private func save(_ reports: [BrokerSequencedReport]) async throws -> StorePlan.Feed {
        let plan = try await store.store(reports)
        sight.withLock { sight in
            sight.storedSequence = max(sight.storedSequence, plan.feed.storedSequence)
            sight.brokerSequence = max(sight.brokerSequence, sight.storedSequence)
            sight.compare(at: .now)
        }
        if !plan.new.isEmpty { onStored() }
        return plan.feed
    }
}
