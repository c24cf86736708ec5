import EventBus
import Testing

@Test func aFullPartitionRefusesWhileAGroupIsBehind() async throws {
    let bus = InMemoryEventBus(capacity: 2)
    func event(_ number: Int) -> EventEnvelope {
        EventEnvelope(id: "\(number)", topic: "t", key: "k", payload: [], occurredAt: 0)
    }
    // Without a group nobody waits for the oldest.
    for number in 0..<5 { try await bus.publish([event(number)]) }
    let (handled, continuation) = AsyncStream.makeStream(of: String.self)
    let consuming = Task {
        try await bus.run(group: "g", consumer: "c", topics: ["t"]) { event in
            continuation.yield(event.id)
            if event.id == "4" { try await Task.sleep(for: .seconds(3600)) }
        }
    }
    var iterator = handled.makeAsyncIterator()
    #expect(await iterator.next() == "3")
    #expect(await iterator.next() == "4")
    try await bus.publish([event(5)])
    await #expect(throws: EventBusError.full(topic: "t")) { try await bus.publish([event(6)]) }
    await #expect(throws: EventBusError.full(topic: "t")) { try await bus.publish([event(7), event(8), event(9)]) }
    consuming.cancel()
    try await consuming.value
}

@Test func theLastDeadLettersAreKept() async throws {
    let bus = InMemoryEventBus(policy: DeliveryPolicy(verdict: { _ in .permanent }))
    try await bus.publish(
        (0..<1010).map { EventEnvelope(id: "\($0)", topic: "t", key: "k", payload: [], occurredAt: 0) }
            + [EventEnvelope(id: "end", topic: "t", key: "k", payload: [], occurredAt: 0)])
    let (ended, continuation) = AsyncStream.makeStream(of: Void.self)
    struct Refusal: Error {}
    let consuming = Task {
        try await bus.run(group: "g", consumer: "c", topics: ["t"]) { event in
            guard event.id != "end" else { return continuation.finish() }
            throw Refusal()
        }
    }
    for await _ in ended {}
    consuming.cancel()
    try await consuming.value
    #expect(bus.deadLetters.count == 1000)
    #expect(bus.deadLetters.first?.event.id == "10" && bus.deadLetters.last?.event.id == "1009")
}
