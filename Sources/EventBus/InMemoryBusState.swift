internal import DequeModule
internal import Limits

/// What an in-memory bus knows: its events, how far each group is, and who waits.
struct InMemoryBusState {
    /// An event on its way to a handler; its partition is busy meanwhile.
    struct Work {
        let event: EventEnvelope
        let partition: Int
        let position: Int
        var origin: String { "\(event.topic)/\(partition)@\(position)" }
    }

    private struct Partition {
        var events: Deque<EventEnvelope> = []
        /// The position of the first one kept.
        var start = 0
        var end: Int { start + events.count }

        func event(at position: Int) -> EventEnvelope { events[position - start] }

        mutating func removeFirst(_ count: Int) {
            events.removeFirst(count)
            start += count
        }
    }

    private struct Progress {
        var next: Int
        var isBusy = false
    }

    private struct Topic {
        var partitions: [Partition]
        var groups: [String: [Progress]] = [:]

        /// Drops the oldest events that every group has consumed, where the new ones need their room.
        mutating func makeRoom(for counts: [Int], _ capacity: Int) -> Bool {
            for (index, count) in counts.enumerated() {
                let excess = partitions[index].events.count + count - capacity
                guard excess > 0 else { continue }
                let consumed = groups.values.map { $0[index].next }.min() ?? partitions[index].end
                guard partitions[index].start + excess <= consumed else { return false }
                partitions[index].removeFirst(excess)
            }
            return true
        }
    }

    var deadLetters: [DeadLetter] = []
    private let partitionCount: Int
    private var topics: [String: Topic] = [:]
    private var waiting: [WakeUp] = []

    init(partitions: Int) { partitionCount = partitions }

    /// Appends all of them, or none when one has no room.
    mutating func append(_ events: [EventEnvelope], capacity: Int) throws(EventBusError) {
        var added: [String: [Int]] = [:]
        for event in events {
            makeTopic(event.topic)
            let index = event.partition(of: partitionCount)
            added[event.topic, default: .init(repeating: 0, count: partitionCount)][index] += 1
        }
        for (name, counts) in added {
            guard withTopic(name, { $0.makeRoom(for: counts, capacity) }) else { throw .full(topic: name) }
        }
        for event in events {
            let index = event.partition(of: partitionCount)
            withTopic(event.topic) { $0.partitions[index].events.append(event) }
        }
    }

    /// Makes a group begin with the oldest event kept, if it is new.
    mutating func join(_ group: String, _ names: [String]) {
        for name in names {
            makeTopic(name)
            withTopic(name) { topic in
                guard topic.groups[group] == nil else { return }
                topic.groups[group] = topic.partitions.map { Progress(next: $0.start) }
            }
        }
    }

    /// The next event for a worker of `group`; nil when there is none, and then `wakeUp` is called when that may
    /// change.
    mutating func take(_ group: String, _ names: [String], orWake wakeUp: WakeUp) -> Work? {
        for name in names {
            guard let topic = topics[name], let progress = topic.groups[group] else { continue }
            for index in 0..<partitionCount {
                let position = progress[index].next
                guard !progress[index].isBusy, position < topic.partitions[index].end else { continue }
                let event = topic.partitions[index].event(at: position)
                withTopic(name) { $0.groups[group]?[index].isBusy = true }
                return Work(event: event, partition: index, position: position)
            }
        }
        if !waiting.contains(where: { $0 === wakeUp }) { waiting.append(wakeUp) }
        return nil
    }

    mutating func giveBack(_ work: Work, _ group: String, isConsumed: Bool) {
        withTopic(work.event.topic) { topic in
            topic.groups[group]?[work.partition].isBusy = false
            if isConsumed { topic.groups[group]?[work.partition].next = work.position + 1 }
        }
    }

    /// Everybody who waits, to be woken outside the lock.
    mutating func takeWaiting() -> [WakeUp] {
        defer { waiting = [] }
        return waiting
    }

    mutating func leave(_ wakeUp: WakeUp) { waiting.removeAll { $0 === wakeUp } }

    private mutating func makeTopic(_ name: String) {
        guard topics[name] == nil else { return }
        topics[name] = Topic(partitions: .init(repeating: Partition(), count: partitionCount))
    }

    private mutating func withTopic<Result>(_ name: String, _ body: (inout Topic) -> Result) -> Result {
        guard let index = topics.index(forKey: name) else { preconditionFailure("topic \(name) was made before") }
        return body(&topics.values[index])
    }
}
