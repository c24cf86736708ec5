import Limits
import Postgres
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    @Test(arguments: [
        "host=/run/pg port=5433 user=alice dbname=books password=secret",
        "postgresql://alice:secret@%2Frun%2Fpg:5433/books",
    ])
    func connectionStringsAreRead(_ text: String) throws {
        let configuration = try PostgresConfiguration(connectionInfo: text)
        #expect(configuration.host == "/run/pg")
        #expect(configuration.port == 5433)
        #expect(configuration.user == "alice")
        #expect(configuration.database == "books")
        #expect(!"\(configuration)".contains("secret"))
    }

    @Test(arguments: ["host", "nonsense=1", "password=secret host", "postgresql://[", "host=a\0b"])
    func brokenConnectionStringsAreRefusedWithoutRepeatingThem(_ text: String) {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(connectionInfo: text) }
        #expect(error?.reason == .invalidConfiguration)
        #expect(error.map { "\($0)".contains("secret") } == false)
    }

    @Test func settingsReachEachConnection() async throws {
        let server = try await PrivateServers.postgres().configuration
        let configuration = PostgresConfiguration(
            host: server.host, user: server.user, database: server.database,
            settings: ["meridian.note": #"a b\c"#, "statement_timeout": "123s"])
        let client = PostgresClient(configuration, group: TestLoops.group)
        let seen = try await client.query(
            sql: "SELECT current_setting('meridian.note'), current_setting('statement_timeout')"
        ) { [try $0.string(0), try $0.string(1)] }
        #expect(seen == [[#"a b\c"#, "123s"]])
        await client.shutDown()
    }

    @Test func namesAreLookedUpAndPasswordsUsedOverTCP() async throws {
        let server = try await PrivatePostgres.start(listensOnTCP: true)
        let port = try #require(server.tcpPort)
        let administrator = PostgresClient(server.configuration, group: TestLoops.group)
        try await administrator.executeScript("CREATE ROLE alice LOGIN PASSWORD 'right'")
        await administrator.shutDown()
        for host in ["localhost", "127.0.0.1"] {
            let client = PostgresClient(
                PostgresConfiguration(host: host, port: port, user: "alice", password: "right", database: "postgres"),
                group: TestLoops.group)
            try await client.ping()
            await client.shutDown()
        }
        let refused = PostgresClient(
            PostgresConfiguration(
                host: "127.0.0.1", port: port, user: "alice", password: "wrong", database: "postgres"),
            group: TestLoops.group)
        let error = try await postgresError { try await refused.ping() }
        #expect(error.sqlState?.rawValue == "28P01")
        #expect(error.message.contains("password authentication failed"))
        #expect(error.certainty == .notApplied && !error.mayRetry)
        await refused.shutDown()
        let lost = PostgresClient(
            PostgresConfiguration(host: "no-such-host.invalid", user: "alice", database: "postgres"),
            group: TestLoops.group)
        let unknown = try await postgresError {
            try await Deadline.within(.milliseconds(500)) { try await lost.ping() }
        }
        #expect(unknown.certainty == .notApplied)
        await lost.shutDown()
        try await server.stop()
    }
}
