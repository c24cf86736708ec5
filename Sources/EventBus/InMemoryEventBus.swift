internal import Limits
internal import Synchronization

/// The bus within one process: for tests, and for a stack in a single program. What it holds ends with the process.
///
/// A topic has a fixed number of partitions; an event's key decides its partition, and one consumer of a group at a
/// time works on a partition. Events are kept for groups that come later, as many as the capacity allows.
public final class InMemoryEventBus: EventPublisher, EventSubscriber {
    private static let partitions = 8
    private static let keptDeadLetters = 1000
    private let capacity: Int
    private let policy: DeliveryPolicy
    private let deadLetter: DeadLetterSink?
    private let observer: BusObserver
    private let state = Mutex(InMemoryBusState(partitions: partitions))

    /// - Parameters:
    ///   - capacity: events kept per partition, of which a topic has eight. When it is reached, the oldest event goes
    ///     if every group has consumed it; otherwise `publish` throws `EventBusError.full`.
    ///   - deadLetter: nil keeps the last 1000 in `deadLetters`.
    public init(
        capacity: Int = 100_000, policy: DeliveryPolicy = .init(), deadLetter: DeadLetterSink? = nil,
        observer: @escaping BusObserver = { _ in }
    ) {
        precondition(capacity >= 1, "a partition keeps at least one event")
        self.capacity = capacity
        self.policy = policy
        self.deadLetter = deadLetter
        self.observer = observer
    }

    /// The last dead letters, oldest first, unless they go to a closure.
    public var deadLetters: [DeadLetter] { state.withLock(\.deadLetters) }

    // MARK: Publishing

    public func publish(_ events: [EventEnvelope]) async throws {
        for event in events { try event.validate() }
        let woken = try state.withLock { state throws(EventBusError) in
            try state.append(events, capacity: capacity)
            return state.takeWaiting()
        }
        for wakeUp in woken { wakeUp.wake() }
    }

    // MARK: Consuming

    public func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        state.withLock { $0.join(group, topics) }
        let delivery = EventDelivery(
            group: group, consumer: consumer, policy: policy, deadLetter: deadLetter ?? { [self] in keep($0) },
            observer: observer, handler: handler)
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<Self.partitions {
                tasks.addTask { await self.work(group, topics, delivery) }
            }
        }
    }

    /// Takes one event at a time, of any partition that nobody else of the group works on.
    private func work(_ group: String, _ topics: [String], _ delivery: EventDelivery) async {
        let wakeUp = WakeUp()
        while !Task.isCancelled {
            guard let work = state.withLock({ $0.take(group, topics, orWake: wakeUp) }) else {
                await wakeUp.wait()
                continue
            }
            let isConsumed: Bool
            do throws(CancellationError) {
                _ = try await delivery.deliver(work.event, origin: work.origin)
                isConsumed = true
            } catch {
                isConsumed = false  // Another consumer gets it.
            }
            let woken = state.withLock { state in
                state.giveBack(work, group, isConsumed: isConsumed)
                return state.takeWaiting()
            }
            for wakeUp in woken { wakeUp.wake() }
        }
        state.withLock { $0.leave(wakeUp) }
    }

    private func keep(_ letter: DeadLetter) {
        state.withLock { state in
            if state.deadLetters.count == Self.keptDeadLetters { state.deadLetters.removeFirst() }
            state.deadLetters.append(letter)
        }
    }
}
