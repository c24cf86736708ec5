import EventBus
import Limits
import Redis
import RedisEventBus
import Synchronization
import TestSupport
import Testing

/// What only a bus behind a network has to endure.
@Suite(.timeLimit(.minutes(2)))
struct RedisFaultTests {
    private struct Setting {
        let server: PrivateRedis
        let client: RedisClient
        let bus: RedisEventBus
        let topic = "t\(UInt64.random(in: .min ... .max))"

        func event(_ number: Int, key: String = "k") -> EventEnvelope {
            EventEnvelope(id: "\(key)-\(number)", topic: topic, key: key, payload: [1], occurredAt: Int64(number))
        }

        /// Publishes until it is confirmed, as an outbox does.
        func publishUntilConfirmed(_ events: [EventEnvelope]) async {
            while true {
                do { return try await bus.publish(events) } catch { await Task.yield() }
            }
        }

        func consuming(
            _ consumer: String = "c1", _ handler: @escaping @Sendable (EventEnvelope) async throws -> Void,
            _ body: () async throws -> Void
        ) async throws {
            try await TestBus.consuming(bus, topic, consumer: consumer, handler, body)
        }

        func stream(_ index: Int) -> RedisArgument { "bus:{\(topic)}:\(index)" }
        /// The first stream that holds an event.
        func streamInUse() async throws -> String? {
            for index in 0..<8 {
                let entries = try await client.command(["XRANGE", stream(index), "-", "+"]).elements ?? []
                if !entries.isEmpty { return "bus:{\(topic)}:\(index)" }
            }
            return nil
        }

        var leases: RedisArgument { "bus:{\(topic)}:leases:g" }
        var members: RedisArgument { "bus:{\(topic)}:members:g" }

        /// What a consumer leaves behind that was killed: its place in the group and its leases, for `duration`.
        func leaveLeases(of consumer: String, for duration: Duration) async throws {
            let now = try await client.command(["TIME"]).elements?.first?.text.flatMap { Int64($0) } ?? 0
            let end = now * 1000 + duration.components.seconds * 1000
            try await client.command(["ZADD", members, .integer(end), .text(consumer)])
            for index in 0..<8 {
                try await client.command(["HSET", leases, .integer(Int64(index)), "\(end) dead \(consumer)"])
            }
        }
    }

    private func with(
        own: Bool = false, limits: RedisBusLimits = .quick, _ body: (Setting) async throws -> Void
    ) async throws {
        let server = own ? try await PrivateRedis.start() : try await PrivateServers.redis()
        var clientLimits = RedisLimits()
        clientLimits.reconnect = Backoff(initial: .milliseconds(1), maximum: .milliseconds(20))
        let client = RedisClient(endpoint: server.endpoint, group: TestLoops.group, limits: clientLimits)
        let setting = Setting(server: server, client: client, bus: RedisEventBus(client, limits: limits))
        do {
            try await body(setting)
        } catch {
            await client.shutDown()
            throw error
        }
        await client.shutDown()
    }

    @Test(arguments: [PrivateRedis.StopMode.orderly, .crash])
    func aRestartInTheMiddleLosesNothingThatIsPublishedUntilConsumed(_ mode: PrivateRedis.StopMode) async throws {
        try await with(own: true) { test in
            let seen = Recorder<String>()
            let events = (0..<200).map { test.event($0, key: "key\($0 % 10)") }
            try await test.consuming {
                seen.record($0.id)
            } _: {
                await test.publishUntilConfirmed(Array(events.prefix(100)))
                await seen.wait(for: 20)
                try await test.server.stop(mode)
                async let restarted: Void = test.server.restart()
                await test.publishUntilConfirmed(Array(events.suffix(100)))
                try await restarted
                // A crash may have taken what was confirmed in the last second: published again until consumed.
                if mode == .crash { await test.publishUntilConfirmed(events) }
                await seen.wait { Set($0).count == 200 }
            }
            #expect(test.bus.statistics.interruptions > 0)
            if mode == .orderly {
                // In order per key, apart from repetitions.
                for key in 0..<10 {
                    let ids = seen.elements.filter { $0.hasPrefix("key\(key)-") }
                    var firsts: [String] = []
                    for id in ids where !firsts.contains(id) { firsts.append(id) }
                    #expect(firsts == stride(from: key, to: 200, by: 10).map { "key\(key)-\($0)" })
                }
            }
        }
    }

    @Test func anEmptyRestartIsABeginning() async throws {
        try await with(own: true) { test in
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                await test.publishUntilConfirmed((0..<10).map { test.event($0) })
                await seen.wait(for: 10)
                try await test.server.stop(.crash)
                try await test.server.restart(empty: true)
                await test.publishUntilConfirmed((10..<20).map { test.event($0) })
                let came = await seen.wait { $0.contains("k-19") }
                #expect(came.suffix(10) == (10..<20).map { "k-\($0)" }[...])
            }
        }
    }

    @Test func dataLostUnderALiveConnectionIsABeginning() async throws {
        try await with(own: true) { test in
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                try await test.bus.publish([test.event(1)])
                await seen.wait(for: 1)
                try await test.client.command(["FLUSHALL"])
                try await test.bus.publish([test.event(2)])
                #expect(await seen.wait(for: 2) == ["k-1", "k-2"])
            }
            #expect(test.bus.statistics.groupsLost > 0)
        }
    }

    @Test func whatADeadConsumerHadComesFirst() async throws {
        try await with { test in
            try await test.bus.publish((0..<5).map { test.event($0) })
            // Delivered to a consumer that never acknowledged; nothing else of it remains.
            for index in 0..<8 {
                try await test.client.command(["XGROUP", "CREATE", test.stream(index), "g", "0", "MKSTREAM"])
                try await test.client.command([
                    "XREADGROUP", "GROUP", "g", "dead", "COUNT", 3, "STREAMS", test.stream(index), ">",
                ])
            }
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                #expect(await seen.wait(for: 5) == (0..<5).map { "k-\($0)" })
            }
            #expect(test.bus.statistics.recovered == 3)
            #expect(try await test.bus.backlog(group: "g", topic: test.topic) == 0)
        }
    }

    @Test func theLeasesOfADeadConsumerEnd() async throws {
        try await with { test in
            try await test.leaveLeases(of: "dead", for: .seconds(1))
            try await test.bus.publish([test.event(1)])
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                await seen.wait(for: 1)
            }
        }
    }

    @Test func aConsumerThatComesBackTakesItsPartitionsAtOnce() async throws {
        try await with { test in
            try await test.leaveLeases(of: "c1", for: .seconds(3600))
            try await test.bus.publish([test.event(1)])
            let seen = Recorder<String>()
            try await test.consuming("c1") {
                seen.record($0.id)
            } _: {
                await seen.wait(for: 1)
            }
        }
    }

    @Test func leavingHandsOverAtOnce() async throws {
        var limits = RedisBusLimits.quick
        limits.leaseTime = .seconds(3600)
        try await with(limits: limits) { test in
            let seen = Recorder<String>()
            for number in 1...2 {
                try await test.bus.publish([test.event(number)])
                try await test.consuming("c\(number)") {
                    seen.record($0.id)
                } _: {
                    await seen.wait(for: number)
                }
            }
            #expect(try await test.client.command(["HLEN", test.leases]) == .integer(0))
            #expect(try await test.client.command(["ZCARD", test.members]) == .integer(0))
        }
    }

    @Test func aConsumerWithoutItsLeaseStopsTrying() async throws {
        var limits = RedisBusLimits.quick
        limits.policy = .quick { _ in .transient }
        try await with(limits: limits) { test in
            let lostBefore = Mutex<Int?>(nil)
            let seen = Recorder<String>()
            try await test.consuming { event in
                guard let before = lostBefore.withLock(\.self) else {
                    lostBefore.withLock { $0 = test.bus.statistics.partitionsLost }
                    try await test.leaveLeases(of: "thief", for: .seconds(2))
                    throw Refusal()
                }
                // Tried for as long as the loss is not noticed, then no more until the lease is back.
                guard test.bus.statistics.partitionsLost > before else { throw Refusal() }
                seen.record(event.id)
            } _: {
                try await test.bus.publish([test.event(1)])
                #expect(await seen.wait(for: 1) == ["k-1"])
            }
            // The thief takes all eight from the consumer, once each: the one whose event is being handled when that is
            // noticed, seven at the next balance, however late that comes. On a machine that stands still for a second
            // the first may be lost more often, because its own lease ran out; each time its event is recovered. What
            // is lost is taken again, and eight are held at the end.
            let end = test.bus.statistics
            #expect(end.partitionsLost >= 8)
            #expect(end.partitionsTaken == end.partitionsLost + 8)
            #expect(end.recovered == end.partitionsLost - 7)
        }
    }

    /// Between two looks of a consumer somebody else had its partition, was delivered an event, and died.
    @Test func whatWasDeliveredToAnotherWhileTheLeaseWasLostIsRecovered() async throws {
        try await with { test in
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                try await test.bus.publish([test.event(1)])
                await seen.wait(for: 1)
                let stream = try #require(try await test.streamInUse())
                // In one step, so that the consumer sees nothing of it: neither a lease in force nor a new event.
                _ = try await test.client.command([
                    "EVAL",
                    """
                    for index = 0, 7 do redis.call('HSET', KEYS[1], index, '0 dead thief') end
                    redis.call('XADD', KEYS[2], '*', 'id', 'k-2', 'key', 'k', 'payload', 'x', 'at', '2')
                    return redis.call('XREADGROUP', 'GROUP', 'g', 'thief', 'STREAMS', KEYS[2], '>')
                    """, "2", test.leases, .text(stream),
                ])
                #expect(await seen.wait(for: 2) == ["k-1", "k-2"])
            }
            let end = test.bus.statistics
            #expect(end.partitionsLost >= 8)
            #expect(end.partitionsTaken == end.partitionsLost + 8)
            #expect(end.recovered == end.partitionsLost - 7)
        }
    }

    @Test func anEntryThatIsNoEventIsSetAside() async throws {
        try await with { test in
            try await test.client.command(["XADD", test.stream(3), "*", "id", "odd", "payload", "what"])
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                try await test.bus.publish([test.event(1)])
                await seen.wait(for: 1)
                while try await test.bus.deadLetters(of: test.topic).isEmpty { await Task.yield() }
            }
            let letter = try #require(try await test.bus.deadLetters(of: test.topic).first?.letter)
            #expect(letter.event.id == "odd" && letter.event.payload == Array("what".utf8) && letter.attempts == 0)
            #expect(test.bus.statistics.unreadable == 1)
        }
    }

    @Test func aDeadLetterIsDrivenAgain() async throws {
        try await with { test in
            let isWell = Counter()
            let seen = Recorder<EventEnvelope>()
            try await test.consuming { event in
                guard isWell.value > 0 else { throw Refusal() }
                seen.record(event)
            } _: {
                var event = test.event(1)
                event.headers = ["traceparent": "00-1"]
                try await test.bus.publish([event])
                while try await test.bus.deadLetters(of: test.topic).isEmpty { await Task.yield() }
                let (id, letter) = try #require(try await test.bus.deadLetters(of: test.topic).first)
                #expect(letter.event == event && letter.attempts == 3 && letter.reason == "refused")
                isWell.increment()
                #expect(try await test.bus.redriveDeadLetter(id, of: test.topic))
                #expect(await seen.wait(for: 1) == [event])
                #expect(try await test.bus.deadLetters(of: test.topic).isEmpty)
                #expect(try await !test.bus.redriveDeadLetter(id, of: test.topic))
            }
        }
    }

    @Test func backlogAndLengthAreCounted() async throws {
        var limits = RedisBusLimits.quick
        limits.topicLength = 8 * 100
        try await with(limits: limits) { test in
            #expect(try await test.bus.backlog(group: "g", topic: test.topic) == nil)
            let seen = Recorder<String>()
            try await test.consuming {
                seen.record($0.id)
            } _: {
                try await test.bus.publish([test.event(1)])
                await seen.wait(for: 1)
            }
            try await test.bus.publish((0..<50).map { test.event($0) })
            #expect(try await test.bus.backlog(group: "g", topic: test.topic) == 50)
            #expect(try await test.bus.length(of: test.topic) == 51)
            for _ in 0..<10 { try await test.bus.publish((0..<100).map { test.event($0) }) }
            #expect(try await test.bus.length(of: test.topic) <= 200)
        }
    }
}
