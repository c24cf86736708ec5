internal import EventLoop
internal import Glibc
public import Postgres
internal import Synchronization

/// An empty database of the shared server for one test.
public struct ScratchDatabase: Sendable {
    private static let lastNumber = Atomic<Int>(0)

    public let configuration: PostgresConfiguration
    private let administrator: PostgresClient

    /// Runs `body` with a new database that is dropped afterwards, whoever is still connected.
    public static func with<Result>(
        on server: PrivatePostgres? = nil, _ body: (ScratchDatabase) async throws -> Result
    ) async throws -> Result {
        let database = try await create(on: server)
        do {
            let result = try await body(database)
            try await database.drop()
            return result
        } catch {
            try await database.drop()
            throw error
        }
    }

    /// Runs `body` with a client of a new database, after `script` was run in it.
    public static func withClient<Result>(
        _ script: String = "", limits: PostgresLimits = .init(), _ body: (PostgresClient) async throws -> Result
    ) async throws -> Result {
        try await with { database in
            let client = PostgresClient(database.configuration, group: TestLoops.group, limits: limits)
            do {
                if !script.isEmpty { try await client.executeScript(script) }
                let result = try await body(client)
                await client.shutDown()
                return result
            } catch {
                await client.shutDown()
                throw error
            }
        }
    }

    public static func create(on server: PrivatePostgres? = nil) async throws -> ScratchDatabase {
        let configuration: PostgresConfiguration
        if let server {
            configuration = server.configuration
        } else {
            configuration = try await PrivateServers.postgres().configuration
        }
        var limits = PostgresLimits()
        limits.connectionsPerLoop = 1
        let administrator = PostgresClient(configuration, group: TestLoops.group, limits: limits)
        let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        let name = "scratch_\(number)"
        try await administrator.executeScript("CREATE DATABASE \(name)")
        return ScratchDatabase(configuration: configuration.with(database: name), administrator: administrator)
    }

    public func drop() async throws {
        try await administrator.executeScript("DROP DATABASE \(configuration.database) WITH (FORCE)")
        await administrator.shutDown()
    }
}
