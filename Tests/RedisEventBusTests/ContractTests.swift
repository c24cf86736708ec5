import EventBus
import RedisEventBus
import Synchronization
import TestSupport
import Testing

/// What every bus promises, whatever carries the events.
@Suite(.timeLimit(.minutes(2)))
struct ContractTests {
    @Test(arguments: BusKind.allCases)
    func anEventArrivesUnchanged(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            let seen = Recorder<EventEnvelope>()
            let events = [
                EventEnvelope(
                    id: "1", topic: test.topic, key: "", payload: [0, 13, 10, 255],
                    headers: ["traceparent": "00-ab-cd-01", "": "a:b,\0c", "한": "글"], occurredAt: .max),
                EventEnvelope(id: "한글", topic: test.topic, key: "k\0", payload: [], occurredAt: .min),
                EventEnvelope(
                    id: String(repeating: "x", count: 200), topic: test.topic, key: "big",
                    payload: .init(repeating: 7, count: 1 << 20), occurredAt: 0),
            ]
            try await test.consuming {
                seen.record($0)
            } _: {
                try await test.bus.publish(events)
                let came = await seen.wait(for: 3)
                #expect(Set(came) == Set(events) && came.count == 3)
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func unusableEventsAreRefused(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            for (id, topic) in [
                ("", test.topic), (String(repeating: "x", count: 201), test.topic), ("1", ""), ("1", "a{b}"),
            ] {
                let event = EventEnvelope(id: id, topic: topic, key: "k", payload: [], occurredAt: 0)
                await #expect(throws: EventBusError.self) { try await test.bus.publish([test.event(1), event]) }
            }
            try await test.bus.publish([])
            let seen = Recorder<EventEnvelope>()
            try await test.consuming {
                seen.record($0)
            } _: {
                try await test.bus.publish([test.event(2)])
                #expect(await seen.wait(for: 1).map(\.id) == ["k-2"])
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func eventsOfAKeyComeInOrder(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            let seen = Recorder<EventEnvelope>()
            let running = Mutex<Set<String>>([])
            try await test.consuming { event in
                let isAlone = running.withLock { $0.insert(event.key).inserted }
                #expect(isAlone, "two events of key \(event.key) at a time")
                for _ in 0..<Int.random(in: 0..<4) { await Task.yield() }
                seen.record(event)
                _ = running.withLock { $0.remove(event.key) }
            } _: {
                for round in 0..<20 {
                    try await test.bus.publish((0..<25).map { test.event(round, key: "key\($0)") })
                }
                let byKey = Dictionary(grouping: await seen.wait(for: 500), by: \.key)
                #expect(byKey.count == 25)
                #expect(byKey.values.allSatisfy { $0.map(\.occurredAt) == Array(0..<20) })
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func aFailedEventComesAgainBeforeTheNextOfItsKey(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            let seen = Recorder<Int64>()
            let failures = Counter()
            try await test.consuming { event in
                seen.record(event.occurredAt)
                if event.occurredAt == 1, failures.increment() <= 2 { throw Refusal() }
            } _: {
                try await test.bus.publish((0..<4).map { test.event($0) })
                #expect(await seen.wait(for: 6) == [0, 1, 1, 1, 2, 3])
            }
            #expect(test.deadLetters.elements.isEmpty)
        }
    }

    @Test(arguments: BusKind.allCases)
    func aPoisonousEventIsSetAsideAndTheOthersGoOn(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            let seen = Recorder<String>()
            try await test.consuming(group: "books", consumer: "one") { event in
                seen.record(event.id)
                if event.id == "k-1" { throw Refusal() }
            } _: {
                try await test.bus.publish((0..<3).map { test.event($0) })
                #expect(await seen.wait(for: 5) == ["k-0", "k-1", "k-1", "k-1", "k-2"])
            }
            let letters = test.deadLetters.elements
            #expect(letters.count == 1)
            let letter = try #require(letters.first)
            #expect(letter.event == test.event(1))
            #expect(letter.group == "books" && letter.consumer == "one" && letter.attempts == 3)
            #expect(letter.reason == "refused" && letter.origin.contains(test.topic))
            let failures = test.incidents.elements.compactMap { incident -> Int? in
                if case .handlerFailed(_, "books", let attempt, "refused") = incident { attempt } else { nil }
            }
            #expect(failures == [1, 2, 3])
        }
    }

    @Test(arguments: BusKind.allCases)
    func aPermanentErrorIsNotRepeated(_ kind: BusKind) async throws {
        try await TestBus.with(kind, policy: .quick { _ in .permanent }) { test in
            try await test.consuming { _ in
                throw Refusal()
            } _: {
                try await test.bus.publish([test.event(1)])
                #expect(await test.deadLetters.wait(for: 1).map(\.attempts) == [1])
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func aPassingErrorIsRepeatedForAsLongAsItTakes(_ kind: BusKind) async throws {
        try await TestBus.with(kind, policy: .quick { _ in .transient }) { test in
            let seen = Recorder<EventEnvelope>()
            let attempts = Counter()
            try await test.consuming { event in
                if attempts.increment() < 10 { throw Refusal() }
                seen.record(event)
            } _: {
                try await test.bus.publish([test.event(1)])
                await seen.wait(for: 1)
            }
            #expect(attempts.value == 10 && test.deadLetters.elements.isEmpty)
        }
    }

    @Test(arguments: BusKind.allCases)
    func aDeadLetterThatCannotBeStoredHoldsItsKeyUp(_ kind: BusKind) async throws {
        let stored = Recorder<String>()
        let attempts = Counter()
        let sink: DeadLetterSink = { letter in
            if attempts.increment() < 4 { throw Refusal() }
            stored.record("dead \(letter.event.id)")
        }
        try await TestBus.with(kind, deadLetter: sink) { test in
            try await test.consuming { event in
                if event.id == "k-1" { throw Refusal() }
                stored.record(event.id)
            } _: {
                try await test.bus.publish([test.event(1), test.event(2)])
                #expect(await stored.wait(for: 2) == ["dead k-1", "k-2"])
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func everyGroupSeesEveryEventFromTheBeginning(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            try await test.bus.publish([test.event(1)])
            for group in ["a", "b"] {
                let seen = Recorder<String>()
                try await test.consuming(group: group) {
                    seen.record($0.id)
                } _: {
                    #expect(await seen.wait(for: 1) == ["k-1"])
                }
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func whatWasConsumedDoesNotComeAgain(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            let seen = Recorder<String>()
            for number in 1...3 {
                try await test.bus.publish([test.event(number)])
                try await test.consuming(consumer: "c\(number)") {
                    seen.record($0.id)
                } _: {
                    await seen.wait(for: number)
                }
            }
            #expect(seen.elements == ["k-1", "k-2", "k-3"])
        }
    }

    @Test(arguments: BusKind.allCases)
    func anotherConsumerTakesOverWhatOneLeftUnfinished(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            try await test.bus.publish((1...3).map { test.event($0) })
            let started = Recorder<String>()
            try await test.consuming(consumer: "first") { event in
                started.record(event.id)
                if event.id == "k-2" { try await Task.sleep(for: .seconds(3600)) }
            } _: {
                await started.wait(for: 2)
            }
            let seen = Recorder<String>()
            try await test.consuming(consumer: "second") {
                seen.record($0.id)
            } _: {
                // The first event was consumed, but its acknowledgement may not have arrived.
                let came = await seen.wait { $0.contains("k-3") }
                #expect(came.suffix(2) == ["k-2", "k-3"])
            }
        }
    }

    @Test(arguments: BusKind.allCases)
    func twoConsumersShareATopicAndKeepTheOrder(_ kind: BusKind) async throws {
        try await TestBus.with(kind) { test in
            let all = Recorder<EventEnvelope>()
            let first = Counter()
            let second = Counter()
            try await test.consuming(consumer: "first") { event in
                first.increment()
                await Task.yield()
                all.record(event)
            } _: {
                try await test.consuming(consumer: "second") { event in
                    second.increment()
                    await Task.yield()
                    all.record(event)
                } _: {
                    var round = 0
                    while round < 10 || first.value == 0 || second.value == 0 {
                        try await test.bus.publish((0..<40).map { test.event(round, key: "key\($0)") })
                        round += 1
                        await all.wait(for: round * 40)
                    }
                    let rounds = round
                    let byKey = Dictionary(grouping: all.elements, by: \.key)
                    #expect(byKey.values.allSatisfy { $0.map(\.occurredAt) == Array(0..<Int64(rounds)) })
                }
            }
        }
    }
}
