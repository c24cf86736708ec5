internal import EventBus
internal import Redis

/// Brings a batch of entries to the handler: the events of a key one after the other, different keys at the same time,
/// and acknowledges what was consumed.
struct BatchHandling: Sendable {
    private struct Item: Sendable {
        let partition: TopicPartition
        let entry: StreamEntry
        /// Nil when the entry cannot be read.
        let event: EventEnvelope?
    }

    private struct ChainEnd: Sendable {
        var consumed: [(TopicPartition, id: String)] = []
        var interrupted: TopicPartition?
    }

    /// Acknowledgements gathered while a long batch is under way.
    private static let acknowledgedTogether = 64

    let client: RedisClient
    let group: String
    let leases: PartitionLeases
    let delivery: EventDelivery
    let limits: RedisBusLimits
    let count: ConsumerRun.Count

    /// Returns when every event was consumed or given up to another consumer; the partitions of the latter.
    func handle(_ batch: [(TopicPartition, [StreamEntry])]) async throws -> Set<TopicPartition> {
        var chains = Self.chains(batch)[...]
        var interrupted: Set<TopicPartition> = []
        var consumed: [(TopicPartition, id: String)] = []
        var failure: RedisError?
        await withTaskGroup(of: ChainEnd.self) { tasks in
            for chain in chains.prefix(limits.handlersAtOnce) { tasks.addTask { await handle(chain) } }
            chains = chains.dropFirst(limits.handlersAtOnce)
            for await end in tasks {
                if let chain = chains.popFirst() { tasks.addTask { await handle(chain) } }
                consumed += end.consumed
                if let partition = end.interrupted { interrupted.insert(partition) }
                if consumed.count >= Self.acknowledgedTogether, failure == nil {
                    let together = consumed
                    consumed = []
                    failure = await acknowledge(together)
                }
            }
        }
        if failure == nil { failure = await acknowledge(consumed) }
        if let failure { throw failure }
        return interrupted
    }

    private static func chains(_ batch: [(TopicPartition, [StreamEntry])]) -> [[Item]] {
        var chains: [[Item]] = []
        var chainOfKey: [String: [String: Int]] = [:]
        for (partition, entries) in batch {
            for entry in entries {
                let event = EventEnvelope(entry, topic: partition.topic)
                let item = Item(partition: partition, entry: entry, event: event)
                if let event, let chain = chainOfKey[partition.topic]?[event.key] {
                    chains[chain].append(item)
                } else {
                    if let event { chainOfKey[partition.topic, default: [:]][event.key] = chains.count }
                    chains.append([item])
                }
            }
        }
        return chains
    }

    private func handle(_ chain: [Item]) async -> ChainEnd {
        var end = ChainEnd()
        for item in chain {
            do throws(CancellationError) {
                try await handle(item)
                end.consumed.append((item.partition, item.entry.id))
            } catch {
                end.interrupted = item.partition
                break
            }
        }
        return end
    }

    private func handle(_ item: Item) async throws(CancellationError) {
        let origin = "\(item.partition.stream)@\(item.entry.id)"
        guard let event = item.event else { return try await setAsideUnreadable(item, origin) }
        let outcome = try await delivery.deliver(event, origin: origin) { leases.holds(item.partition) }
        count { statistics in
            statistics.retries += outcome.attempts - 1
            if !outcome.isDeadLetter { statistics.consumed += 1 }
        }
    }

    /// An entry without fields was deleted while it was pending: nothing is left to consume.
    private func setAsideUnreadable(_ item: Item, _ origin: String) async throws(CancellationError) {
        guard !item.entry.fields.isEmpty else { return }
        count { $0.unreadable += 1 }
        let event = EventEnvelope(
            id: item.entry.text("id") ?? item.entry.id, topic: item.partition.topic, key: item.entry.text("key") ?? "",
            payload: item.entry.fields["payload"] ?? [], occurredAt: item.entry.text("at").flatMap { Int64($0) } ?? 0)
        try await delivery.setAside(event, origin: origin, attempts: 0, reason: "the entry is no event")
    }

    /// Also when the task is cancelled: what was consumed need not come again.
    private func acknowledge(_ consumed: [(TopicPartition, id: String)]) async -> RedisError? {
        guard !consumed.isEmpty else { return nil }
        let byStream = Dictionary(grouping: consumed) { $0.0.stream }
        let commands: [[RedisArgument]] = byStream.map { stream, items in
            ["XACK", .text(stream), .text(group)] + items.map { .text($0.id) }
        }
        return await Uncancelled.run { () -> RedisError? in
            do throws(RedisError) {
                for answer in try await client.pipeline(commands) { _ = try answer.get() }
                return nil
            } catch {
                return error
            }
        }
    }
}
