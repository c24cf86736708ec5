import EventLoop
import Limits
import Postgres
import TestSupport
import Testing

@Suite struct QueryTests {
    @Test func statementsReturnTypedRows() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            #expect(try await client.execute(InsertPair(key: 1, value: "one")) == 1)
            #expect(try await client.execute(InsertPair(key: 2, value: nil)) == 1)
            #expect(try await client.query(ReadPair(key: 1)) == [Pair(key: 1, value: "one")])
            #expect(try await client.queryOne(ReadPair(key: 2)) == Pair(key: 2, value: nil))
            #expect(try await client.queryOne(ReadPair(key: 3)) == nil)
        }
    }

    @Test func aTaskOnALoopOfTheGroupStaysThere() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let loop = TestLoops.group.loops[1]
            let stayed = try await loop.run {
                try await client.execute(InsertPair(key: 1, value: "one"))
                let first = loop.isHomeOfCurrentTask
                _ = try await client.query(ReadPair(key: 1))
                return first && loop.isHomeOfCurrentTask
            }
            #expect(stayed)
        }
    }

    @Test func aMebibyteOfBytesAndOfTextGoesThereAndBack() async throws {
        try await ScratchDatabase.withClient { client in
            var generator = SeededGenerator(seed: 7)
            let bytes = generator.anyBytes(count: 1 << 20)
            let text = String(repeating: "한글 1,234원 ", count: 50_000)
            let rows = try await client.query(
                sql: "SELECT $1, $2::text, octet_length($1)", [.bytes(bytes), .text(text)]
            ) {
                (try $0.bytes(0), try $0.string(1), try $0.int64(2))
            }
            #expect(rows.count == 1)
            #expect(rows[0].0 == bytes)
            #expect(rows[0].1 == text)
            #expect(rows[0].2 == 1 << 20)
        }
    }

    @Test func aHundredStatementsTravelTogether() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let answers = try await client.pipeline { pipeline in
                (0..<100).map { pipeline.execute(InsertPair(key: $0, value: "\($0)")) }
            }
            #expect(try answers.map { try $0.get() } == Array(repeating: 1, count: 100))
            let read = try await client.pipeline { pipeline in
                (0..<100).map { pipeline.queryOne(ReadPair(key: $0)) }
            }
            #expect(try read.map { try $0.get()?.value } == (0..<100).map { "\($0)" })
        }
    }

    @Test func aPipelineIsAllOrNothing() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await postgresError {
                try await client.pipeline { pipeline in
                    for key: Int64 in [1, 2, 3, 2, 4] { pipeline.execute(InsertPair(key: key, value: nil)) }
                }
            }
            #expect(error.isUniqueViolation(of: "pair_key"))
            #expect(error.certainty == .notApplied)
            #expect(try await rowCount(client, "pair") == 0)
            // The connection and its prepared statements are in order afterwards.
            #expect(try await client.execute(InsertPair(key: 1, value: "one")) == 1)
        }
    }

    @Test func tooLongAPipelineIsRefused() async throws {
        var limits = PostgresLimits()
        limits.pipelineLength = 2
        try await ScratchDatabase.withClient(Pair.table, limits: limits) { client in
            let error = try await postgresError {
                try await client.pipeline { pipeline in
                    for key: Int64 in 1...3 { pipeline.execute(InsertPair(key: key, value: nil)) }
                }
            }
            #expect(error.reason == .invalidParameter)
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func preparedStatementsStayWithinTheirLimit() async throws {
        var limits = PostgresLimits()
        limits.preparedStatementsPerConnection = 3
        limits.connectionsPerLoop = 1
        try await ScratchDatabase.withClient(limits: limits) { client in
            try await client.withConnection { session in
                for number in 0..<10 { try await session.execute(sql: "SELECT \(number)") }
            }
            for number in 0..<10 { try await client.execute(sql: "SELECT \(number)") }
            let prepared = try await client.query(sql: "SELECT count(*) FROM pg_prepared_statements") {
                try $0.int64(0)
            }
            #expect(prepared[0] <= 4)
        }
    }

    @Test func scriptsRunSeveralCommandsAtOnce() async throws {
        try await ScratchDatabase.withClient { client in
            try await client.executeScript("CREATE TABLE a (x int); INSERT INTO a VALUES (1), (2); -- end")
            #expect(try await rowCount(client, "a") == 2)
            let error = try await postgresError {
                try await client.executeScript("INSERT INTO a VALUES (3); SELECT broken FROM a")
            }
            #expect(error.sqlState == .undefinedColumn)
            #expect(try await rowCount(client, "a") == 2)
        }
    }

    @Test func aSchemaChangeUnderAPreparedStatementIsSurvived() async throws {
        var limits = PostgresLimits()
        limits.connectionsPerLoop = 1
        try await ScratchDatabase.withClient("CREATE TABLE t (x int8); INSERT INTO t VALUES (1)", limits: limits) {
            client in
            try await TestLoops.group.loops[0].run {
                #expect(try await client.query(sql: "SELECT * FROM t") { try $0.int64(0) } == [1])
                try await client.executeScript("ALTER TABLE t ADD y int8 DEFAULT 2")
                let error = try await postgresError { try await client.query(sql: "SELECT * FROM t") { _ in } }
                #expect(error.sqlState == .featureNotSupported)
                #expect(try await client.query(sql: "SELECT * FROM t") { try $0.int64(1) } == [2])
            }
        }
    }

    @Test func aFailureAtTheImplicitCommitIsTheStatementsFailure() async throws {
        let tables = """
            CREATE TABLE parent (id int8 PRIMARY KEY);
            CREATE TABLE child (parent int8 CONSTRAINT child_parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
            """
        try await ScratchDatabase.withClient(tables) { client in
            for _ in 0..<3 {
                let error = try await postgresError {
                    try await client.execute(sql: "INSERT INTO child VALUES ($1)", [.int64(9)])
                }
                #expect(error.sqlState == .foreignKeyViolation)
                #expect(error.constraint == "child_parent")
            }
            #expect(try await rowCount(client, "child") == 0)
            #expect(await client.statistics().opened <= 3)
        }
    }
}
