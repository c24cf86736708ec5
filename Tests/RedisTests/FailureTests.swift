import EventLoop
import Limits
import Redis
import TestSupport
import Testing

@Test func aDeadlineEndsTheWaitAndLeavesTheOutcomeOpen() async throws {
    let server = try await PrivateRedis.start()
    try await withClient(server: server) { client, key async throws in
        // On the loop of the connection the command leaves at once, however long a hop there takes.
        try await TestLoops.group.loops[0].perform {
            try await client.command(["SET", .text(key), 0])
            server.freeze()
            let error = await #expect(throws: RedisError.self) {
                try await Deadline.within(.milliseconds(50)) { try await client.command(["INCR", .text(key)]) }
            }
            #expect(error?.reason == .deadlineExceeded && error?.certainty == .unknown)
        }
        server.thaw()
        // The late answer is dropped; the next command gets its own.
        #expect(try await client.command(["ECHO", "mine"]).text == "mine")
    }
}

@Test func aPassedDeadlineSendsNothing() async throws {
    try await withClient { client, key async throws in
        let error = await #expect(throws: RedisError.self) {
            try await Deadline.within(.zero) { try await client.command(["INCR", .text(key)]) }
        }
        #expect(error?.reason == .deadlineExceeded && error?.certainty == .notApplied)
        #expect(try await client.command(["GET", .text(key)]).isNull)
    }
}

@Test func cancellationEndsTheWait() async throws {
    let server = try await PrivateRedis.start()
    try await withClient(server: server) { client, key async throws in
        try await client.ping()
        server.freeze()
        let task = Task { try await client.command(["INCR", .text(key)]) }
        task.cancel()
        let error = await #expect(throws: RedisError.self) { try await task.value }
        #expect(error?.reason == .cancelled)
        server.thaw()
    }
}

@Test func aFullQueueRefuses() async throws {
    let server = try await PrivateRedis.start()
    var limits = RedisLimits()
    limits.inFlightPerLoop = 4
    try await withClient(limits: limits, server: server) { client, _ async throws in
        try await client.ping()
        server.freeze()
        let loop = TestLoops.group.loops[0]
        await loop.perform {
            await withTaskGroup(of: RedisError?.self) { group in
                for _ in 0..<5 {
                    group.addTask(executorPreference: loop) {
                        do throws(RedisError) {
                            try await client.command(["PING"])
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                let first = await group.next() ?? nil
                #expect(first?.reason == .queueFull && first?.certainty == .notApplied)
                server.thaw()
                for await error in group { #expect(error == nil) }
            }
        }
        #expect(await client.statistics().refusals == 1)
    }
}

@Test func aClientComesBackWithItsServer() async throws {
    let server = try await PrivateRedis.start()
    var limits = RedisLimits()
    limits.reconnect = Backoff(initial: .milliseconds(1), maximum: .milliseconds(5))
    try await withClient(limits: limits, server: server) { client, key async throws in
        try await client.command(["SET", .text(key), "kept"])
        try await server.stop()
        var seen: Set<RedisError.Reason> = []
        for _ in 0..<10 {
            let error = await #expect(throws: RedisError.self) { try await client.ping() }
            if let error { seen.insert(error.reason) }
        }
        #expect(seen.isSubset(of: [.connectionLost, .unavailable]) && seen.contains(.unavailable))
        try await server.restart()
        while true {
            do throws(RedisError) {
                let answer = try await client.command(["GET", .text(key)])
                #expect(answer.text == "kept")
                break
            } catch {
                #expect(error.mayRetry && error.certainty == .notApplied)
                await Task.yield()
            }
        }
    }
}

@Test func aSilentServerIsGivenUp() async throws {
    let server = try await PrivateRedis.start()
    var limits = RedisLimits()
    limits.stallTimeout = .milliseconds(40)
    try await withClient(limits: limits, server: server) { client, _ async throws in
        // A busy machine may be as slow as a silent server for a while.
        while (try? await client.ping()) == nil {}
        server.freeze()
        let error = await #expect(throws: RedisError.self) { try await client.ping() }
        #expect(error?.reason == .connectionLost && error?.certainty == .unknown)
        server.thaw()
    }
}

@Test func nobodyThere() async throws {
    let client = RedisClient(endpoint: .unix(path: "/nonexistent/r.sock"), group: TestLoops.group)
    let error = await #expect(throws: RedisError.self) { try await client.ping() }
    #expect(error?.reason == .unavailable && error?.certainty == .notApplied && error?.mayRetry == true)
    await client.shutDown()
    let closed = await #expect(throws: RedisError.self) { try await client.ping() }
    #expect(closed?.reason == .closed)
}

@Test func shuttingDownWaitsForAnswers() async throws {
    let server = try await PrivateRedis.start()
    let client = RedisClient(endpoint: server.endpoint, group: TestLoops.group)
    let loop = TestLoops.group.loops[0]
    try await loop.perform {
        try await client.ping()
        async let answer = client.command(["DEBUG", "SLEEP", "0"])
        async let down: Void = client.shutDown()
        _ = try? await answer
        await down
    }
}

@Test func aDedicatedConnectionBlocksNobody() async throws {
    try await withClient { client, key async throws in
        let popped = try await withThrowingTaskGroup(of: RedisValue.self) { group in
            group.addTask {
                try await client.withDedicatedConnection { session in
                    try await session.command(["BLPOP", .text(key), 0], timeout: .seconds(20))
                }
            }
            while try await client.command(["CLIENT", "LIST"]).text?.contains("cmd=blpop") != true {
                await Task.yield()
            }
            try await client.command(["RPUSH", .text(key), "x"])
            return try await group.next()
        }
        #expect(popped?.elements?.last?.text == "x")
    }
}

@Test func aCancelledBlockingCommandFreesTheServer() async throws {
    let server = try await PrivateRedis.start()
    try await withClient(server: server) { client, key async throws in
        let task = Task {
            try await client.withDedicatedConnection { session in
                try await session.command(["BLPOP", .text(key), 0], timeout: .seconds(20))
            }
        }
        while try await client.command(["INFO", "clients"]).text?.contains("blocked_clients:1") != true {
            await Task.yield()
        }
        task.cancel()
        let error = await #expect(throws: RedisError.self) { try await task.value }
        #expect(error?.reason == .cancelled)
        while try await client.command(["INFO", "clients"]).text?.contains("blocked_clients:0") != true {
            await Task.yield()
        }
    }
}

@Test func dedicatedConnectionsAreCounted() async throws {
    var limits = RedisLimits()
    limits.dedicatedConnections = 1
    try await withClient(limits: limits) { client, _ async throws in
        try await client.withDedicatedConnection { session in
            let error = await #expect(throws: RedisError.self) { try await client.withDedicatedConnection { _ in } }
            #expect(error?.reason == .queueFull)
            _ = try await session.command(["PING"])
        }
        try await client.withDedicatedConnection { _ = try await $0.command(["PING"]) }
    }
}
