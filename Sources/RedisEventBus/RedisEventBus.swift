public import EventBus
internal import Limits
public import Redis
internal import Synchronization

/// The bus on Redis Streams: at least once, in order per key.
///
/// A topic is eight streams, `bus:{topic}:0` to `:7`; the event's key decides which. An entry has the fields `id`,
/// `key`, `payload`, `at` and `headers`. Within a group each stream is read by one consumer at a time, which holds a
/// lease on it; leases are shared evenly among the group's living consumers. A new group begins with the oldest event.
///
/// Redis may lose its last second of events when it crashes, although it has confirmed them, and all of them with its
/// disk: whoever publishes must be able to publish again, and whoever consumes must recognise what it knows.
public final class RedisEventBus: EventPublisher, EventSubscriber {
    public let limits: RedisBusLimits
    private let client: RedisClient
    private let deadLetter: DeadLetterSink
    private let observer: BusObserver
    private let counts = Mutex(RedisBusStatistics())

    /// - Parameters:
    ///   - client: every running consumer takes one of its dedicated connections.
    ///   - deadLetter: nil writes to the stream `bus:{topic}:dead`; see `deadLetters(of:limit:)`.
    ///   - observer: told of what goes wrong, for the log.
    public init(
        _ client: RedisClient, limits: RedisBusLimits = .init(), deadLetter: DeadLetterSink? = nil,
        observer: @escaping BusObserver = { _ in }
    ) {
        precondition(limits.leaseTime >= .seconds(1), "a lease takes at least a second")
        precondition(limits.readBatch >= 1 && limits.publishBatch >= 1, "a batch has at least one event")
        precondition(limits.handlersAtOnce >= 1, "at least one handler runs")
        self.client = client
        self.limits = limits
        self.observer = observer
        let dead = DeadLetterStream(client, length: limits.deadLetterLength)
        self.deadLetter = deadLetter ?? { letter in try await dead.append(letter) }
    }

    public var statistics: RedisBusStatistics { counts.withLock(\.self) }

    // MARK: Publishing

    public func publish(_ events: [EventEnvelope]) async throws {
        for event in events { try event.validate() }
        var rest = events[...]
        while !rest.isEmpty {
            let batch = rest.prefix(limits.publishBatch)
            rest = rest.dropFirst(limits.publishBatch)
            let answers = try await client.pipeline(batch.map(command))
            for answer in answers { _ = try answer.get() }
            counts.withLock { $0.published += batch.count }
        }
    }

    private func command(_ event: EventEnvelope) -> [RedisArgument] {
        let partition = TopicPartition(topic: event.topic, index: event.partition(of: TopicPartition.count))
        let length = max(1, limits.topicLength / TopicPartition.count)
        return ["XADD", .text(partition.stream), "MAXLEN", "~", .integer(Int64(length)), "*"] + event.streamFields
    }

    // MARK: Consuming

    /// See `EventSubscriber.run`. Returns when the task is cancelled, and only then; an absent server is waited for.
    ///
    /// Handlers of different keys run at the same time. The names of a group's consumers differ: two that live at a
    /// time under one name take each other's partitions away.
    public func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        precondition(!group.isEmpty && !consumer.isEmpty && !topics.isEmpty, "a consumer has names and topics")
        let delivery = EventDelivery(
            group: group, consumer: consumer, policy: limits.policy, deadLetter: deadLetter,
            observer: { [self] in observe($0) }, handler: handler)
        let run = ConsumerRun(
            client: client, limits: limits, group: group, consumer: consumer, topics: topics, delivery: delivery,
            count: { [self] change in counts.withLock { change(&$0) } }, observer: { [self] in observe($0) })
        // What called us may have a deadline; consuming has none.
        await Deadline.$current.withValue(nil) { await run.untilCancelled() }
    }

    private func observe(_ incident: BusIncident) {
        counts.withLock { counts in
            switch incident {
            case .deadLetter: counts.deadLetters += 1
            case .interrupted: counts.interruptions += 1
            case .groupLost: counts.groupsLost += 1
            case .partitionsLost(_, let count): counts.partitionsLost += count
            case .handlerFailed, .deadLetterNotStored: break
            }
        }
        observer(incident)
    }

    // MARK: Sight

    /// Events of a topic that a group has not consumed: not delivered yet, or delivered and unfinished. Nil when the
    /// server cannot tell (no such group, or entries were removed by hand).
    public func backlog(group: String, topic: String) async throws -> Int64? {
        let answers = try await client.pipeline(
            TopicPartition.all(topic).map { ["XINFO", "GROUPS", .text($0.stream)] })
        var sum: Int64?
        for answer in answers {
            // A stream that does not exist has no groups, and an error says so.
            for info in answer.elements ?? [] {
                let fields = info.namedElements
                guard fields["name"]?.text == group else { continue }
                guard let lag = fields["lag"]?.integer, let pending = fields["pending"]?.integer else { return nil }
                sum = (sum ?? 0) + lag + pending
            }
        }
        return sum
    }

    /// Events of a topic that the server keeps, consumed ones included.
    public func length(of topic: String) async throws -> Int64 {
        var sum: Int64 = 0
        for answer in try await client.pipeline(TopicPartition.all(topic).map { ["XLEN", .text($0.stream)] }) {
            sum += try answer.get().integer ?? 0
        }
        return sum
    }

    // MARK: Dead letters

    /// The oldest dead letters of a topic, with their ids in the stream of dead letters.
    public func deadLetters(of topic: String, limit: Int = 100) async throws -> [(id: String, letter: DeadLetter)] {
        try await DeadLetterStream(client, length: limits.deadLetterLength).list(topic, limit: limit)
    }

    /// Publishes a dead letter's event again, unchanged, to every group of its topic, and removes the letter. False
    /// when there is no such letter. Interrupted in the middle, it leaves both: consumers recognise the event.
    public func redriveDeadLetter(_ id: String, of topic: String) async throws -> Bool {
        let stream = DeadLetterStream(client, length: limits.deadLetterLength)
        guard let letter = try await stream.find(id, of: topic) else { return false }
        try await publish([letter.event])
        try await stream.remove(id, of: topic)
        return true
    }
}

extension RedisValue {
    /// The elements of an array of names and values in turn.
    fileprivate var namedElements: [String: RedisValue] {
        let elements = self.elements ?? []
        var named: [String: RedisValue] = [:]
        for index in stride(from: 0, to: elements.count - 1, by: 2) {
            if let name = elements[index].text { named[name] = elements[index + 1] }
        }
        return named
    }
}
