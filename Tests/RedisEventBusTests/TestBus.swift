import EventBus
import Limits
import Redis
import RedisEventBus
import Synchronization
import TestSupport

/// The buses that fulfil the contract.
enum BusKind: CaseIterable, Sendable {
    case memory, redis
}

extension DeliveryPolicy {
    /// Three attempts, a millisecond apart.
    static func quick(verdict: @escaping @Sendable (any Error) -> Verdict = { _ in .suspect }) -> DeliveryPolicy {
        DeliveryPolicy(
            attempts: 3, backoff: Backoff(initial: .milliseconds(1), maximum: .milliseconds(2)), verdict: verdict)
    }
}

extension RedisBusLimits {
    static var quick: RedisBusLimits {
        var limits = RedisBusLimits()
        limits.readWait = .milliseconds(40)
        limits.leaseTime = .seconds(1)
        limits.reconnect = Backoff(initial: .milliseconds(1), maximum: .milliseconds(20))
        limits.policy = .quick()
        return limits
    }
}

/// A bus under test, a topic of its own, and the dead letters it was given.
struct TestBus: Sendable {
    let kind: BusKind
    let bus: any EventPublisher & EventSubscriber
    let topic: String
    let deadLetters: Recorder<DeadLetter>
    let incidents: Recorder<BusIncident>

    static func with(
        _ kind: BusKind, policy: DeliveryPolicy = .quick(), name: String = #function,
        deadLetter: DeadLetterSink? = nil, _ body: (TestBus) async throws -> Void
    ) async throws {
        let letters = Recorder<DeadLetter>()
        let incidents = Recorder<BusIncident>()
        let sink = deadLetter ?? { letters.record($0) }
        let topic = "\(name.prefix { $0 != "(" })-\(UInt64.random(in: .min ... .max))"
        switch kind {
        case .memory:
            let bus = InMemoryEventBus(policy: policy, deadLetter: sink, observer: { incidents.record($0) })
            try await body(TestBus(kind: kind, bus: bus, topic: topic, deadLetters: letters, incidents: incidents))
        case .redis:
            let client = RedisClient(endpoint: try await PrivateServers.redis().endpoint, group: TestLoops.group)
            var limits = RedisBusLimits.quick
            limits.policy = policy
            let bus = RedisEventBus(client, limits: limits, deadLetter: sink, observer: { incidents.record($0) })
            do {
                try await body(TestBus(kind: kind, bus: bus, topic: topic, deadLetters: letters, incidents: incidents))
            } catch {
                await client.shutDown()
                throw error
            }
            await client.shutDown()
        }
    }

    func event(_ number: Int, key: String = "k") -> EventEnvelope {
        EventEnvelope(id: "\(key)-\(number)", topic: topic, key: key, payload: [], occurredAt: Int64(number))
    }

    /// Runs a consumer while `body` runs.
    func consuming(
        group: String = "g", consumer: String = "c1",
        _ handler: @escaping @Sendable (EventEnvelope) async throws -> Void,
        _ body: () async throws -> Void
    ) async throws {
        try await TestBus.consuming(bus, topic, group: group, consumer: consumer, handler, body)
    }

    static func consuming(
        _ bus: any EventSubscriber, _ topic: String, group: String = "g", consumer: String = "c1",
        _ handler: @escaping @Sendable (EventEnvelope) async throws -> Void, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await bus.run(group: group, consumer: consumer, topics: [topic], handler: handler)
            }
            try await body()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }
}

/// What came, in order; a test can wait for as many as it expects.
final class Recorder<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiters: [(isEnough: @Sendable ([Element]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock(\.elements) }

    func record(_ element: Element) {
        let woken = state.withLock { state in
            state.elements.append(element)
            let elements = state.elements
            let woken = state.waiters.filter { $0.isEnough(elements) }.map(\.continuation)
            state.waiters.removeAll { $0.isEnough(elements) }
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns what has come when it is enough.
    @discardableResult
    func wait(until isEnough: @escaping @Sendable ([Element]) -> Bool) async -> [Element] {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard !isEnough(state.elements) else { return true }
                state.waiters.append((isEnough, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
        return elements
    }

    @discardableResult
    func wait(for count: Int) async -> [Element] { await wait { $0.count >= count } }
}

struct Refusal: Error, CustomStringConvertible {
    var description = "refused"
}
