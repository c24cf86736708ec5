import EventLoop
import Limits
import Redis
import TestSupport
import Testing

/// Runs `body` with a client of the shared server and a prefix for its keys.
func withClient<Result>(
    limits: RedisLimits = .init(), server: PrivateRedis? = nil, name: String = #function,
    _ body: (RedisClient, String) async throws -> Result
) async throws -> Result {
    let endpoint: RedisEndpoint
    if let server { endpoint = server.endpoint } else { endpoint = try await PrivateServers.redis().endpoint }
    let client = RedisClient(endpoint: endpoint, group: TestLoops.group, limits: limits)
    do {
        let result = try await body(client, "\(name):\(UInt64.random(in: .min ... .max))")
        await client.shutDown()
        return result
    } catch {
        await client.shutDown()
        throw error
    }
}

@Test func answersHaveTheirTypes() async throws {
    try await withClient { client, key async throws in
        #expect(try await client.command(["SET", .text(key), "value"]) == .status("OK"))
        #expect(try await client.command(["GET", .text(key)]).text == "value")
        #expect(try await client.command(["STRLEN", .text(key)]).integer == 5)
        #expect(try await client.command(["GET", "\(key):absent"]).isNull)
        #expect(
            try await client.command(["MGET", .text(key), "\(key):absent"]).elements
                == [.bytes(Array("value".utf8)), .null])
    }
}

@Test func aValueMayHoldAnyBytes() async throws {
    try await withClient { client, key async throws in
        let bytes: [UInt8] = [0, 13, 10, 0, 255, 128, 36]
        try await client.command(["SET", .text(key), .bytes(bytes)])
        #expect(try await client.command(["GET", .text(key)]).bytes == bytes)
        #expect(try await client.command(["GET", .text(key)]).text == nil)
    }
}

@Test func aValueMayBeLarge() async throws {
    try await withClient { client, key async throws in
        var random = SeededGenerator(seed: 7)
        let bytes = random.anyBytes(count: 1 << 20)
        let answers = try await client.pipeline(
            (0..<8).map { ["SET", "\(key):\($0)", .bytes(bytes)] } + (0..<8).map { ["GET", "\(key):\($0)"] })
        #expect(answers.suffix(8).allSatisfy { $0.bytes == bytes })
    }
}

@Test func anErrorReplyIsTyped() async throws {
    try await withClient { client, key async throws in
        try await client.command(["SET", .text(key), "text"])
        let error = await #expect(throws: RedisError.self) { try await client.command(["INCR", .text(key)]) }
        #expect(error?.serverCode == "ERR" && error?.certainty == .notApplied && error?.mayRetry == false)
        let wrongType = await #expect(throws: RedisError.self) { try await client.command(["LPUSH", .text(key), "x"]) }
        #expect(wrongType?.serverCode == "WRONGTYPE")
    }
}

@Test func aPipelineKeepsOrderAndErrorsApart() async throws {
    try await withClient { client, key async throws in
        let answers = try await client.pipeline([
            ["RPUSH", .text(key), "a"], ["INCR", .text(key)], ["RPUSH", .text(key), "b"],
            ["LRANGE", .text(key), 0, -1],
        ])
        #expect(answers[0] == .integer(1))
        #expect(answers[1].error?.serverCode == "WRONGTYPE")
        #expect(answers[3].elements?.map(\.text) == ["a", "b"])
        #expect(try await client.pipeline([]) == [])
    }
}

@Test func manyCallersShareTheConnections() async throws {
    try await withClient { client, key async throws in
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { try await client.command(["INCR", .text(key)]) } }
            try await group.waitForAll()
        }
        #expect(try await client.command(["GET", .text(key)]).text == "1000")
        let statistics = await client.statistics()
        #expect(statistics.commands == 1001 && statistics.connectionsMade <= 2 && statistics.inFlight == 0)
    }
}

@Test func commandsOfALoopStayThere() async throws {
    let loop = TestLoops.group.loops[0]
    try await withClient { client, key async throws in
        try await loop.perform {
            try await client.command(["SET", .text(key), "1"])
            #expect(loop.isHomeOfCurrentTask)
        }
        #expect(await client.statistics().connectionsMade == 1)
    }
}

@Test func invalidCommandsAreRefusedUnsent() async throws {
    var limits = RedisLimits()
    limits.unsentBytesPerLoop = 100
    limits.inFlightPerLoop = 4
    try await withClient(limits: limits) { client, key async throws in
        let cases: [[[RedisArgument]]] = [
            [[]], [["SET", .text(key), .bytes(.init(repeating: 1, count: 101))]], .init(repeating: ["PING"], count: 5),
        ]
        for commands in cases {
            let error = await #expect(throws: RedisError.self) { _ = try await client.pipeline(commands) }
            #expect(error?.reason == .invalidCommand && error?.certainty == .notApplied)
        }
    }
}

@Test func anAnswerBeyondTheLimitEndsTheConnection() async throws {
    var limits = RedisLimits()
    limits.replyBytes = 1000
    try await withClient(limits: limits) { client, key async throws in
        try await client.command(["SET", .text(key), .bytes(.init(repeating: 1, count: 1 << 20))])
        let error = await #expect(throws: RedisError.self) { try await client.command(["GET", .text(key)]) }
        #expect(error?.reason == .protocolViolation && error?.certainty == .unknown)
        try await client.ping()
    }
}

@Test func scriptsAreSentOnceAndAgainAfterTheServerForgot() async throws {
    let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    try await withClient { client, key async throws in
        #expect(try await script.run(keys: [key], arguments: [2], on: client) == .integer(2))
        try await client.command(["SCRIPT", "FLUSH"])
        #expect(try await script.run(keys: [key], arguments: [3], on: client) == .integer(5))
        #expect(try await script.run(keys: [key], arguments: [4], on: client) == .integer(9))
        let error = await #expect(throws: RedisError.self) {
            try await RedisScript("redis.call('SET', KEYS[1], 'x') return redis.call('INCR', KEYS[1])")
                .run(keys: [key], on: client)
        }
        #expect(error?.certainty == .unknown)
    }
}

@Test(arguments: [
    ("unix:/run/r.sock", RedisEndpoint.unix(path: "/run/r.sock")),
    ("localhost:6379", .tcp(host: "localhost", port: 6379)),
    ("[::1]:6379", .tcp(host: "::1", port: 6379)),
])
func endpointsHaveAText(_ text: String, _ endpoint: RedisEndpoint) {
    #expect(RedisEndpoint(text) == endpoint)
    #expect(endpoint.description == text)
}

@Test(arguments: ["", "unix:", "localhost", ":6379", "localhost:", "localhost:0", "localhost:65536", "::1:6379"])
func otherTextsAreNoEndpoints(_ text: String) {
    #expect(RedisEndpoint(text) == nil)
}
