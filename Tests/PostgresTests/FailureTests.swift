import EventLoop
import Limits
import Postgres
import TestSupport
import Testing

@Suite struct FailureTests {
    @Test func violationsAreTyped() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            try await client.execute(InsertPair(key: 1, value: "one"))
            let error = try await postgresError { try await client.execute(InsertPair(key: 1, value: "secret")) }
            #expect(error.isUniqueViolation(of: "pair_key"))
            #expect(error.table == "pair")
            #expect(error.certainty == .notApplied)
            #expect(!error.mayRetry)
            #expect(!"\(error)".contains("secret"))
        }
    }

    @Test func messagesHoldNoValues() async throws {
        try await ScratchDatabase.withClient { client in
            let error = try await postgresError {
                try await client.execute(sql: "SELECT $1::text::int8", [.text("secret-4711")])
            }
            #expect(error.sqlState?.classCode == "22")
            #expect(!"\(error)".contains("4711"))
        }
    }

    @Test func aNulCharacterIsRefusedBeforeItIsSent() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await postgresError { try await client.execute(InsertPair(key: 1, value: "a\0b")) }
            #expect(error.reason == .invalidParameter)
            #expect(error.message.contains("$2"))
            let inArray = try await postgresError {
                try await client.execute(sql: "SELECT $1", [.textArray(["fine", "a\0"])])
            }
            #expect(inArray.reason == .invalidParameter)
        }
    }

    @Test func theDeadlineEndsAStatementAndTheServerStopsIt() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await client.withConnection { session in
                try await postgresError {
                    try await Deadline.within(.milliseconds(300)) {
                        try await session.execute(sql: "INSERT INTO pair SELECT 1, 'late' FROM pg_sleep(60)")
                    }
                }
            }
            #expect(error.reason == .deadlineExceeded)
            #expect(error.certainty == .unknown)
            try await untilNobodySleeps(client)
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func insideATransactionADeadlineLeavesNoDoubt() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await postgresError {
                try await Deadline.within(.milliseconds(300)) {
                    try await client.withTransaction { tx in
                        try await tx.execute(InsertPair(key: 1, value: "one"))
                        try await tx.execute(sql: "SELECT pg_sleep(60)")
                    }
                }
            }
            #expect(error.reason == .deadlineExceeded)
            #expect(error.certainty == .notApplied)
            try await untilNobodySleeps(client)
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func cancellationEndsAStatementAndTheServerStopsIt() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let task = Task {
                try await postgresError { try await client.execute(sql: "SELECT pg_sleep(60)") }
            }
            try await until(
                client,
                """
                SELECT count(*) = 1 FROM pg_stat_activity
                WHERE wait_event = 'PgSleep' AND datname = current_database()
                """)
            task.cancel()
            let error = try await task.value
            #expect(error.reason == .cancelled)
            #expect(error.certainty == .unknown)
            try await untilNobodySleeps(client)
        }
    }

    @Test func aPassedDeadlineSendsNothing() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await postgresError {
                try await Deadline.within(.zero) { try await client.execute(InsertPair(key: 1, value: nil)) }
            }
            #expect(error.reason == .deadlineExceeded)
            #expect(error.certainty == .notApplied)
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func anAbsentServerIsReportedInTime() async throws {
        let client = PostgresClient(
            PostgresConfiguration(host: "/tmp/no-such-directory", user: "nobody", database: "none"),
            group: TestLoops.group)
        let error = try await postgresError {
            try await Deadline.within(.milliseconds(100)) { try await client.ping() }
        }
        #expect(error.reason == .deadlineExceeded)
        #expect(error.message.contains("/tmp/no-such-directory"))
        await client.shutDown()
    }

    @Test func aBackendThatIsKilledIsReplaced() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await postgresError {
                try await client.execute(sql: "SELECT pg_terminate_backend(pg_backend_pid())")
            }
            #expect(error.sqlState == .adminShutdown)
            #expect(error.certainty == .unknown)
            #expect(error.mayRetry)
            #expect(try await client.execute(InsertPair(key: 1, value: nil)) == 1)
        }
    }

    @Test func aDeadlineDuringCommitLeavesTheOutcomeUnknown() async throws {
        let slowCommit = """
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON pair DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION wait();
            """
        try await ScratchDatabase.withClient(Pair.table + slowCommit) { client async throws in
            let error = try await client.withConnection { session in
                try await postgresError {
                    try await Deadline.within(.milliseconds(300)) {
                        try await session.withTransaction { tx in try await tx.execute(InsertPair(key: 1, value: nil)) }
                    }
                }
            }
            #expect(error.reason == .deadlineExceeded)
            #expect(error.certainty == .unknown)
            try await untilNobodySleeps(client)
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func tooManyBytesAreRefused() async throws {
        var limits = PostgresLimits()
        limits.statementBytes = 1000
        try await ScratchDatabase.withClient(limits: limits) { client in
            let error = try await postgresError {
                try await client.execute(sql: "SELECT $1", [.bytes(Array(repeating: 0, count: 1001))])
            }
            #expect(error.reason == .invalidParameter)
            try await client.execute(sql: "SELECT $1", [.bytes(Array(repeating: 0, count: 1000))])
        }
    }

    @Test func copyIsRefusedAndTheConnectionReplaced() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client in
            for sql in ["COPY pair FROM STDIN", "COPY pair TO STDOUT"] {
                let error = try await postgresError { try await client.executeScript(sql) }
                #expect(error.reason == .invalidParameter)
            }
            try await client.ping()
        }
    }

    /// Waits for a condition of the server; each look is a round trip, and the test's time limit bounds them.
    private func until(_ client: PostgresClient, _ condition: String) async throws {
        while true {
            let answer = try await client.query(sql: condition) { try $0.bool(0) }
            if answer == [true] { return }
        }
    }

    private func untilNobodySleeps(_ client: PostgresClient) async throws {
        try await until(
            client,
            """
            SELECT count(*) = 0 FROM pg_stat_activity
            WHERE wait_event = 'PgSleep' AND datname = current_database()
            """)
    }
}
