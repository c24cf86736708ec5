internal import EventBus
internal import Limits
internal import Redis

/// One consumer of a group, from its start to its cancellation.
///
/// On a connection: take the share of the partitions, recover what was delivered from them but not consumed, then read
/// new events. Whatever goes wrong with the connection begins this anew; what was handled but not acknowledged comes
/// again.
struct ConsumerRun: Sendable {
    typealias Count = @Sendable ((inout RedisBusStatistics) -> Void) -> Void

    private let client: RedisClient
    private let limits: RedisBusLimits
    private let group: String
    private let consumer: String
    private let leases: PartitionLeases
    private let handling: BatchHandling
    private let count: Count
    private let observer: BusObserver

    init(
        client: RedisClient, limits: RedisBusLimits, group: String, consumer: String, topics: [String],
        delivery: EventDelivery, count: @escaping Count, observer: @escaping BusObserver
    ) {
        self.client = client
        self.limits = limits
        self.group = group
        self.consumer = consumer
        self.count = count
        self.observer = observer
        leases = PartitionLeases(
            client, group: group, consumer: consumer, topics: topics, leaseTime: limits.leaseTime)
        handling = BatchHandling(
            client: client, group: group, leases: leases, delivery: delivery, limits: limits, count: count)
    }

    func untilCancelled() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await keepLeases() }
            var failures = 0
            while !Task.isCancelled {
                do {
                    try await client.withDedicatedConnection { session in
                        try await consume(on: session) { failures = 0 }
                    }
                } catch {
                    guard !Task.isCancelled else { break }
                    failures += 1
                    observer(.interrupted(group: group, failures: failures, reason: "\(error)"))
                    await pause(limits.reconnect.delay(afterAttempt: failures, random: .random(in: .min ... .max)))
                }
            }
            tasks.cancelAll()
        }
        // Cancelled already, and yet to tell the others. Without a server the leases end by themselves.
        await Uncancelled.run { _ = try? await leases.leave() }
    }

    /// Renews the leases while events are handled, which may take longer than they last.
    private func keepLeases() async {
        while !Task.isCancelled {
            await pause(limits.leaseTime / 3)
            // A failed renewal is repeated; when it stays away the leases end, and handling stops by itself.
            _ = try? await leases.renew()
        }
    }

    private func pause(_ duration: Duration) async {
        // Ends early by cancellation only, which every caller looks at.
        _ = try? await Task.sleep(for: duration)
    }

    // MARK: On one connection

    private func consume(on session: RedisSession, _ isWorking: () -> Void) async throws {
        /// Partitions from which only new events are to be read.
        var recovered: Set<TopicPartition> = []
        /// Partitions whose group is there, unless the server loses it.
        var grouped: Set<TopicPartition> = []
        while !Task.isCancelled {
            let share = try await leases.balance()
            // Also what was taken back at once: meanwhile others may have been delivered events and not consumed them.
            reportLost(recovered.subtracting(share.kept).subtracting(share.given))
            recovered.formIntersection(share.kept)
            let taken = share.kept.union(share.taken).subtracting(recovered)
            count { $0.partitionsTaken += taken.count }
            do {
                if !taken.isEmpty {
                    let made = try await makeGroups(taken, on: session)
                    if !made.isDisjoint(with: grouped) { observer(.groupLost(group: group)) }
                    grouped.formUnion(taken)
                    let done = try await recover(taken, on: session)
                    reportLost(taken.subtracting(done))
                    recovered.formUnion(done)
                }
                isWorking()
                guard !recovered.isEmpty else {
                    await pause(limits.readWait / 4)
                    continue
                }
                let interrupted = try await readNew(recovered, on: session)
                recovered.subtract(interrupted)
                reportLost(interrupted)
            } catch let error as RedisError where error.serverCode == "NOGROUP" || error.serverCode == "UNBLOCKED" {
                // The server has lost its data, or somebody deleted a stream: from the beginning.
                recovered = []
                grouped = []
                observer(.groupLost(group: group))
            }
        }
    }

    private func reportLost(_ partitions: Set<TopicPartition>) {
        guard !partitions.isEmpty, !Task.isCancelled else { return }
        observer(.partitionsLost(group: group, count: partitions.count))
    }

    /// Makes the group in each stream that has none, beginning with the oldest event, and the stream itself if need be.
    /// Returns the partitions in which it was missing.
    private func makeGroups(
        _ partitions: Set<TopicPartition>, on session: RedisSession
    ) async throws(RedisError) -> Set<TopicPartition> {
        let partitions = Array(partitions)
        let answers = try await session.pipeline(
            partitions.map { ["XGROUP", "CREATE", .text($0.stream), .text(group), "0", "MKSTREAM"] })
        var made: Set<TopicPartition> = []
        for (partition, answer) in zip(partitions, answers) where answer.error?.serverCode != "BUSYGROUP" {
            _ = try answer.get()
            made.insert(partition)
        }
        return made
    }

    /// Handles what was delivered from the partitions and not acknowledged, by whichever consumer: with the lease comes
    /// the right to all of it. Returns the partitions of which nothing is left.
    private func recover(
        _ partitions: Set<TopicPartition>, on session: RedisSession
    ) async throws -> Set<TopicPartition> {
        var cursors = Dictionary(uniqueKeysWithValues: partitions.map { ($0, "0-0") })
        var recovered: Set<TopicPartition> = []
        while !cursors.isEmpty, !Task.isCancelled {
            let wanted = cursors.sorted { $0.key < $1.key }
            let answers = try await session.pipeline(
                wanted.map { partition, cursor in
                    [
                        "XAUTOCLAIM", .text(partition.stream), .text(group), .text(consumer), 0, .text(cursor), "COUNT",
                        .integer(Int64(limits.readBatch)),
                    ]
                })
            var batch: [(TopicPartition, [StreamEntry])] = []
            for ((partition, _), answer) in zip(wanted, answers) {
                let parts = try answer.get().elements ?? []
                guard parts.count >= 2, let cursor = parts[0].text else { throw Self.unexpected("XAUTOCLAIM") }
                let entries = (parts[1].elements ?? []).compactMap { StreamEntry($0) }
                if !entries.isEmpty { batch.append((partition, entries)) }
                cursors[partition] = cursor
            }
            count { $0.recovered += batch.reduce(0) { $0 + $1.1.count } }
            for partition in try await handling.handle(batch) { cursors[partition] = nil }
            for (partition, cursor) in cursors where cursor == "0-0" {
                cursors[partition] = nil
                recovered.insert(partition)
            }
        }
        return recovered
    }

    /// Reads and handles new events, waiting for the first. Returns the partitions whose handling was interrupted.
    private func readNew(
        _ partitions: Set<TopicPartition>, on session: RedisSession
    ) async throws -> Set<TopicPartition> {
        let byStream = Dictionary(uniqueKeysWithValues: partitions.map { ($0.stream, $0) })
        let streams = byStream.keys.sorted()
        let answer = try await session.command(
            [
                "XREADGROUP", "GROUP", .text(group), .text(consumer), "COUNT", .integer(Int64(limits.readBatch)),
                "BLOCK", .integer(max(1, limits.readWait.wholeMilliseconds)), "STREAMS",
            ] + streams.map { .text($0) } + streams.map { _ in ">" },
            timeout: limits.readWait + client.limits.commandTimeout)
        var batch: [(TopicPartition, [StreamEntry])] = []
        for stream in answer.elements ?? [] {
            guard let parts = stream.elements, parts.count == 2, let partition = parts[0].text.flatMap({ byStream[$0] })
            else { throw Self.unexpected("XREADGROUP") }
            batch.append((partition, (parts[1].elements ?? []).compactMap { StreamEntry($0) }))
        }
        return try await handling.handle(batch)
    }

    private static func unexpected(_ command: String) -> RedisError {
        RedisError(.unexpectedReply, "\(command) gave an answer of another form", certainty: .applied)
    }
}
