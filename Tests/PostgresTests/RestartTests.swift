import EventLoop
import Limits
import Postgres
import TestSupport
import Testing

@Suite struct RestartTests {
    @Test(arguments: [PrivatePostgres.StopMode.fast, .crash])
    func thePoolSurvivesARestart(_ mode: PrivatePostgres.StopMode) async throws {
        let server = try await PrivatePostgres.start()
        let client = PostgresClient(server.configuration, group: TestLoops.group)
        try await client.executeScript(Pair.table)
        try await client.execute(InsertPair(key: 1, value: "kept"))

        try await server.stop(mode)
        // After a crash, the backend of an idle connection may live for another moment.
        let error = try await postgresError {
            while true { try await Deadline.within(.milliseconds(50)) { try await client.ping() } }
        }
        #expect([.deadlineExceeded, .connectionLost].contains(error.reason) || error.sqlState != nil)

        // A caller that comes while the server is away is served when it is back. After a crash, old backends may
        // still answer for a moment.
        async let served = untilSettled { try await client.queryOne(ReadPair(key: 1)) }
        try await server.restart()
        #expect(try await served == Pair(key: 1, value: "kept"))
        try await untilSettled { try await client.ping() }
        #expect(try await client.execute(InsertPair(key: 2, value: "new")) == 1)
        await client.shutDown()
        try await server.stop()
    }

    @Test func aStatementUnderWayWhenTheServerDiesIsUnknown() async throws {
        let server = try await PrivatePostgres.start()
        let client = PostgresClient(server.configuration, group: TestLoops.group)
        async let failure = postgresError { try await client.execute(sql: "SELECT pg_sleep(60)") }
        var sleeping: Int64 = 0
        while sleeping == 0 {
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
            sleeping = try await client.query(sql: sql) { try $0.int64(0) }[0]
        }
        try await server.stop(.crash)
        let error = try await failure
        #expect(error.certainty == .unknown)
        #expect(error.mayRetry)
        await client.shutDown()
    }

    private func untilSettled<Value>(_ body: () async throws -> Value) async throws -> Value {
        while true {
            do {
                return try await body()
            } catch let error as PostgresError where error.mayRetry {
                continue
            }
        }
    }
}
