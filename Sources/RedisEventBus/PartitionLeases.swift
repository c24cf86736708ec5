internal import Limits
internal import Redis
internal import Synchronization

/// Which partitions one consumer holds: leases in the server, so that one consumer of a group at a time reads a
/// partition, and the living ones share them evenly.
///
/// The server's clock decides when a lease ends; here it counts as over a fifth earlier. A consumer that comes back
/// under its name takes its partitions at once.
final class PartitionLeases: Sendable {
    private let client: RedisClient
    private let group: String
    private let consumer: String
    private let topics: [String]
    private let leaseTime: Duration
    /// Tells this run from an earlier one of the same name.
    private let incarnation = String(UInt64.random(in: .min ... .max), radix: 36)
    private let state = Mutex(State())

    private enum Mode: String {
        case balance, renew, leave
    }

    private struct State {
        /// When each lease counts as over.
        var held: [TopicPartition: ContinuousClock.Instant] = [:]
        /// Answers to `balance` so far.
        var balances = 0
    }

    init(_ client: RedisClient, group: String, consumer: String, topics: [String], leaseTime: Duration) {
        self.client = client
        self.group = group
        self.consumer = consumer
        self.topics = topics
        self.leaseTime = leaseTime
    }

    /// Whether the partition is surely this consumer's now.
    func holds(_ partition: TopicPartition) -> Bool {
        state.withLock { state in state.held[partition].map { $0 > .now } ?? false }
    }

    /// A consumer's share of the partitions.
    struct Share {
        /// Held since the last balance without a break: nobody else can have read from them.
        var kept: Set<TopicPartition> = []
        /// Held from now on. Others may have had them, even if this consumer did before.
        var taken: Set<TopicPartition> = []
        /// Given up now, for another member to take.
        var given: Set<TopicPartition> = []
    }

    /// Registers the consumer, takes the partitions that are its share and free, and gives up those that are another's.
    /// Call when no event is being handled.
    func balance() async throws(RedisError) -> Share {
        var all = Share()
        for topic in topics {
            let share = try await update(topic, .balance)
            all.kept.formUnion(share.kept)
            all.taken.formUnion(share.taken)
            all.given.formUnion(share.given)
        }
        return all
    }

    /// Renews what is held. Call at least every third of the lease time.
    func renew() async throws(RedisError) {
        for topic in topics { _ = try await update(topic, .renew) }
    }

    /// Gives everything up, so that others need not wait for the leases' end.
    func leave() async throws(RedisError) {
        state.withLock { $0.held.removeAll() }
        for topic in topics { _ = try await update(topic, .leave) }
    }

    private func update(_ topic: String, _ mode: Mode) async throws(RedisError) -> Share {
        let start = ContinuousClock.now
        let balances = state.withLock(\.balances)
        let answer = try await Self.script.run(
            keys: [TopicPartition.members(topic, group), TopicPartition.leases(topic, group)],
            arguments: [
                .text(mode.rawValue), .text(consumer), .text(incarnation), .integer(leaseTime.wholeMilliseconds),
                .integer(Int64(TopicPartition.count)),
            ], on: client)
        let lists = (answer.elements ?? []).map { list in
            Set((list.elements ?? []).compactMap(\.integer).map { TopicPartition(topic: topic, index: Int($0)) })
        }
        guard lists.count == 3 else {
            throw RedisError(.unexpectedReply, "the lease script did not give three lists", certainty: .applied)
        }
        let share = Share(kept: lists[0], taken: lists[1], given: lists[2])
        let end = start + leaseTime - leaseTime / 5
        state.withLock { state in
            switch mode {
            case .balance, .leave:
                state.balances += 1
                state.held = state.held.filter { $0.key.topic != topic }
                for partition in share.kept.union(share.taken) { state.held[partition] = end }
            case .renew:
                for partition in share.kept where state.held[partition] != nil { state.held[partition] = end }
                // What came after this renewal was sent, it cannot know.
                guard state.balances == balances else { return }
                state.held = state.held.filter { $0.key.topic != topic || share.kept.contains($0.key) }
            }
        }
        return share
    }

    /// Members: names, scored by when they count as dead. Leases: per partition `end incarnation name`. A lease that has
    /// ended and still bears this incarnation was nobody else's since: whoever takes one writes its own name.
    private static let script = RedisScript(
        """
        local mode, name, incarnation = ARGV[1], ARGV[2], ARGV[3]
        local ttl, count = tonumber(ARGV[4]), tonumber(ARGV[5])
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local lease = string.format('%d %s %s', now + ttl, incarnation, name)
        if mode == 'leave' then
            redis.call('ZREM', KEYS[1], name)
        else
            redis.call('ZADD', KEYS[1], now + ttl, name)
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
            redis.call('PEXPIRE', KEYS[1], 86400000)
        end
        local members = redis.call('ZRANGE', KEYS[1], 0, -1)
        table.sort(members)
        local kept, taken, given = {}, {}, {}
        for index = 0, count - 1 do
            local value = redis.call('HGET', KEYS[2], index)
            local ends, owner, holder
            if value then ends, owner, holder = string.match(value, '^(%d+) (%S+) (.*)$') end
            local mine = owner == incarnation and holder == name
            if mode == 'renew' then
                if mine then
                    redis.call('HSET', KEYS[2], index, lease)
                    kept[#kept + 1] = index
                end
            elseif mode == 'balance' and members[index % #members + 1] == name then
                if not ends or tonumber(ends) <= now or holder == name then
                    redis.call('HSET', KEYS[2], index, lease)
                    if mine then kept[#kept + 1] = index else taken[#taken + 1] = index end
                end
            elseif mine then
                redis.call('HDEL', KEYS[2], index)
                given[#given + 1] = index
            end
        end
        if mode ~= 'leave' then redis.call('PEXPIRE', KEYS[2], 86400000) end
        return {kept, taken, given}
        """)
}
