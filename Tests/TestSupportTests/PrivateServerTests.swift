import EventLoop
import Postgres
import Processes
import TestSupport
import Testing

@Suite struct PrivateServerTests {
    @Test func testsOfOneProcessShareTheirServers() async throws {
        #expect(try await PrivateServers.postgres() === PrivateServers.postgres())
        #expect(try await PrivateServers.redis() === PrivateServers.redis())
    }

    @Test func aScratchDatabaseIsDroppedEvenWhenTheTestFails() async throws {
        struct Stop: Error {}
        var name = ""
        await #expect(throws: Stop.self) {
            try await ScratchDatabase.with { database in
                name = database.configuration.database
                throw Stop()
            }
        }
        let server = PostgresClient(try await PrivateServers.postgres().configuration, group: TestLoops.group)
        let count = try await server.query(sql: "SELECT count(*) FROM pg_database WHERE datname = $1", [.text(name)]) {
            try $0.int64(0)
        }
        #expect(count == [0])
        await server.shutDown()
    }

    @Test(arguments: [PrivateRedis.StopMode.orderly, .crash])
    func aPrivateRedisComesBackOnItsSocket(_ mode: PrivateRedis.StopMode) async throws {
        let server = try await PrivateRedis.start()
        let path = server.socketPath
        try await command(["-s", path, "SET", "greeting", "hello"])
        try await server.stop(mode)
        try await server.restart()
        try await command(["-s", path, "PING"])
        try await server.stop()
    }

    private func command(_ arguments: [String]) async throws {
        let status = try await BlockingPool.shared.run {
            Result { try ChildProcess(["redis-cli"] + arguments).wait() }
        }.get()
        #expect(status == 0)
    }
}
