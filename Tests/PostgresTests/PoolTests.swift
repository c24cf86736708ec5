import EventLoop
import Limits
import Postgres
import TestSupport
import Testing

@Suite struct PoolTests {
    @Test func aFullQueueRefusesWithAClearError() async throws {
        var limits = PostgresLimits()
        limits.connectionsPerLoop = 1
        limits.waitersPerLoop = 1
        try await ScratchDatabase.withClient(limits: limits) { client in
            try await TestLoops.group.loops[0].run {
                try await client.withConnection { session in
                    try await session.execute(sql: "SELECT 1")
                    try await withThrowingTaskGroup { group in
                        group.addTask { try await client.ping() }
                        while await client.statistics().waiting < 1 { await Task.yield() }
                        let error = try await postgresError { try await client.ping() }
                        #expect(error.reason == .poolExhausted)
                        #expect(error.mayRetry)
                        group.cancelAll()
                        let result = await group.nextResult()
                        #expect(throws: PostgresError.self) { try result?.get() }
                    }
                }
                let statistics = await client.statistics()
                #expect(statistics.refused == 1)
                #expect(statistics.waiting == 0)
                #expect(statistics.idle == 1)
            }
        }
    }

    @Test func waitingForAConnectionObeysTheDeadline() async throws {
        var limits = PostgresLimits()
        limits.connectionsPerLoop = 1
        try await ScratchDatabase.withClient(limits: limits) { client in
            try await TestLoops.group.loops[0].run {
                try await client.withConnection { _ in
                    let error = try await postgresError {
                        try await Deadline.within(.milliseconds(20)) { try await client.ping() }
                    }
                    #expect(error.reason == .deadlineExceeded)
                    #expect(error.certainty == .notApplied)
                }
                try await client.ping()
            }
        }
    }

    @Test func manyCallersShareFewConnections() async throws {
        var limits = PostgresLimits()
        limits.connectionsPerLoop = 2
        try await ScratchDatabase.withClient(Pair.table, limits: limits) { client in
            try await withThrowingTaskGroup { group in
                for key in 0..<200 {
                    group.addTask {
                        try await client.withTransaction { tx in
                            try await tx.execute(InsertPair(key: Int64(key), value: "\(key)"))
                            _ = try await tx.queryOne(ReadPair(key: Int64(key)))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await rowCount(client, "pair") == 200)
            #expect(await client.statistics().opened <= 4)
        }
    }

    @Test func shutDownLetsWorkEndAndRefusesNew() async throws {
        try await ScratchDatabase.with { database in
            let client = PostgresClient(database.configuration, group: TestLoops.group)
            try await withThrowingTaskGroup { group in
                try await client.withConnection { session in
                    group.addTask { await client.shutDown() }
                    while true {
                        let error = try? await postgresError { try await client.ping() }
                        if error?.reason == .closed { break }
                    }
                    try await session.execute(sql: "SELECT 1")
                }
                try await group.waitForAll()
            }
            #expect(await client.statistics().busy == 0)
        }
    }

    @Test func idleConnectionsAreAskedForASignOfLife() async throws {
        var limits = PostgresLimits()
        limits.idleCheck = .zero
        limits.connectionsPerLoop = 1
        try await ScratchDatabase.withClient(limits: limits) { client in
            for _ in 0..<3 { try await client.ping() }
            #expect(await client.statistics().opened <= 2)
        }
    }

    @Test func shutDownEndsAttemptsToConnect() async throws {
        let server = try await PrivatePostgres.start()
        try await server.stop()
        let client = PostgresClient(server.configuration, group: TestLoops.group)
        try await withThrowingTaskGroup { group in
            group.addTask { try await postgresError { try await client.ping() } }
            while await client.statistics().failedAttempts == 0 { await Task.yield() }
            await client.shutDown()
            let error = try await group.next()
            #expect(error?.reason == .closed)
        }
        let statistics = await client.statistics()
        #expect(statistics.connecting == 0 && statistics.waiting == 0)
    }
}
