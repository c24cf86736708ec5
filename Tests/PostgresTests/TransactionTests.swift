import EventLoop
import Limits
import Postgres
import TestSupport
import Testing

@Suite struct TransactionTests {
    private struct Stop: Error {}

    @Test func aTransactionIsSeenByOthersAfterItsEnd() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            try await client.withTransaction { tx in
                try await tx.execute(InsertPair(key: 1, value: "one"))
                #expect(try await rowCount(tx, "pair") == 1)
                #expect(try await rowCount(client, "pair") == 0)
            }
            #expect(try await rowCount(client, "pair") == 1)
        }
    }

    @Test func aThrownErrorRollsBack() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            await #expect(throws: Stop.self) {
                try await client.withTransaction { tx in
                    try await tx.execute(InsertPair(key: 1, value: "one"))
                    throw Stop()
                }
            }
            #expect(try await rowCount(client, "pair") == 0)
            #expect(await client.statistics().busy == 0)
        }
    }

    @Test func commitTravelsWithTheLastStatements() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            try await client.withTransaction { tx in
                try await tx.pipeline(thenCommit: true) { pipeline in
                    pipeline.execute(InsertPair(key: 1, value: "one"))
                    pipeline.execute(InsertPair(key: 2, value: "two"))
                }
                #expect(try await rowCount(client, "pair") == 2)
                let error = try await postgresError { try await tx.execute(InsertPair(key: 3, value: nil)) }
                #expect(error.reason == .closed)
            }
            #expect(try await rowCount(client, "pair") == 2)
        }
    }

    @Test func aSwallowedErrorCannotCommit() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let error = try await postgresError {
                try await client.withTransaction { tx in
                    try await tx.execute(InsertPair(key: 1, value: "one"))
                    let error = try await postgresError { try await tx.execute(InsertPair(key: 1, value: "again")) }
                    #expect(error.sqlState == .uniqueViolation)
                }
            }
            #expect(error.reason == .transactionAborted)
            #expect(error.certainty == .notApplied)
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func aRefusedParameterBeforeBeginLeavesNoStatementOutsideTheTransaction() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            await #expect(throws: Stop.self) {
                try await client.withTransaction { tx in
                    let error = try await postgresError { try await tx.execute(InsertPair(key: 1, value: "a\0b")) }
                    #expect(error.reason == .invalidParameter)
                    try await tx.execute(InsertPair(key: 2, value: "two"))
                    throw Stop()
                }
            }
            #expect(try await rowCount(client, "pair") == 0)
        }
    }

    @Test func aCommitThatFailsIsAFailure() async throws {
        let tables = """
            CREATE TABLE parent (id int8 PRIMARY KEY);
            CREATE TABLE child (parent int8 REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
            """
        try await ScratchDatabase.withClient(tables) { client in
            let error = try await postgresError {
                try await client.withTransaction { tx in
                    try await tx.execute(sql: "INSERT INTO child VALUES ($1)", [.int64(1)])
                }
            }
            #expect(error.sqlState == .foreignKeyViolation)
            #expect(error.certainty == .notApplied)
            #expect(try await rowCount(client, "child") == 0)
        }
    }

    @Test func theOneThatLosesADeadlockTriesAgain() async throws {
        try await ScratchDatabase.withClient(Pair.table + "INSERT INTO pair VALUES (1, ''), (2, '')") { client in
            let bothHold = Barrier(2)
            let runs = Counter()
            try await withThrowingTaskGroup { group in
                for order: [Int64] in [[1, 2], [2, 1]] {
                    group.addTask {
                        let firstTime = Counter()
                        try await client.withTransaction(attempts: 5) { tx in
                            runs.increment()
                            try await append(order[0], tx)
                            if firstTime.increment() == 1 { await bothHold.arrive() }
                            try await append(order[1], tx)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.value > 2)
            let values = try await client.query(sql: "SELECT value FROM pair") { try $0.string(0) }
            #expect(values == ["xx", "xx"])
        }
    }

    @Test func serializationFailuresAreBounded() async throws {
        try await ScratchDatabase.withClient(Pair.table + "INSERT INTO pair VALUES (1, '')") { client in
            let runs = Counter()
            let error = try await postgresError {
                try await client.withTransaction(isolation: .repeatableRead, attempts: 3) { tx in
                    runs.increment()
                    _ = try await rowCount(tx, "pair")
                    try await append(1, client)  // Another transaction gets in between each time.
                    try await append(1, tx)
                }
            }
            #expect(error.sqlState == .serializationFailure)
            #expect(error.isLostRace && error.mayRetry)
            #expect(runs.value == 3)
        }
    }

    @Test func childTasksShareATransaction() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            try await TestLoops.group.loops[0].run {
                try await client.withTransaction { tx in
                    try await withThrowingTaskGroup { group in
                        for key: Int64 in 0..<20 {
                            group.addTask { try await tx.execute(InsertPair(key: key, value: nil)) }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            #expect(try await rowCount(client, "pair") == 20)
        }
    }

    @Test func moreThanTheSocketHoldsGoesBothWaysAtOnce() async throws {
        try await ScratchDatabase.withClient { client in
            let block = [UInt8](repeating: 7, count: 2 << 20)
            let answers = try await client.withTransaction { tx in
                try await tx.pipeline { pipeline in (0..<8).map { _ in pipeline.query(Echo(bytes: block)) } }
            }
            #expect(try answers.allSatisfy { try $0.get() == [block] })
        }
    }

    @Test func readOnlyAndIsolationReachTheServer() async throws {
        try await ScratchDatabase.withClient(Pair.table) { client async throws in
            let seen = try await client.withTransaction(isolation: .serializable, readOnly: true) { tx in
                try await tx.query(
                    sql: "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
                ) { "\(try $0.string(0)) \(try $0.string(1))" }
            }
            #expect(seen == ["serializable on"])
        }
    }

    @Test func scriptsRunInsideATransaction() async throws {
        try await ScratchDatabase.withClient { client in
            await #expect(throws: Stop.self) {
                try await client.withTransaction { tx in
                    try await tx.executeScript("CREATE TABLE a (x int8); CREATE TABLE b (x int8)")
                    try await tx.execute(sql: "INSERT INTO a VALUES (1)")
                    throw Stop()
                }
            }
            let error = try await postgresError { try await rowCount(client, "a") }
            #expect(error.sqlState == .undefinedTable)
        }
    }

    private func append(_ key: Int64, _ executor: some StatementExecutor) async throws {
        try await executor.execute(sql: "UPDATE pair SET value = value || 'x' WHERE key = $1", [.int64(key)])
    }
}

private struct Echo: Statement {
    static let sql = "SELECT $1"
    var bytes: [UInt8]
    var parameters: [Parameter] { [.bytes(bytes)] }
    static func decode(_ row: borrowing RowView) throws -> [UInt8] { try row.bytes(0) }
}
