import EventLoop
import Limits
import RPCCore
import RPCTool

/// A connection to a server with what is known about it, for one command.
struct ToolSession {
    let connection: ServerConnection
    let source: any SchemaSource
    let metadata: Metadata
    let headerLines: [String]
    let steps: StepLog

    /// Runs `body` with a session, within the limit of the whole, and ends the connection.
    ///
    /// - Parameter name: of a service or method: known here, the server need not be asked about it.
    static func run(
        with address: ServerAddress, name: String?, _ server: ServerOptions, _ headers: HeaderOptions,
        _ schema: SchemaOptions, verbosity: Int = 0, _ body: (ToolSession) async throws -> Void
    ) async throws {
        try await run(server.settings(for: address), name: name, server, headers, schema, verbosity: verbosity, body)
    }

    static func run(
        _ settings: ServerConnection.Settings, name: String?, _ server: ServerOptions, _ headers: HeaderOptions,
        _ schema: SchemaOptions, verbosity: Int, _ body: (ToolSession) async throws -> Void
    ) async throws {
        let lines = try headers.lines(for: settings.address.host)
        let steps = StepLog { if verbosity > 1 { Terminal.note("* \($0)") } }
        let group = try EventLoopGroup(name: "call", count: 1)
        let connection = ServerConnection(settings, group: group, steps: steps)
        let outcome: Result<Void, any Error>
        do {
            try await within(server.maximumTime()) {
                let source = try await source(
                    of: connection, name: name, schema, try HeaderOptions.metadata(lines.reflection))
                try await body(
                    ToolSession(
                        connection: connection, source: source, metadata: try HeaderOptions.metadata(lines.calls),
                        headerLines: lines.calls, steps: steps))
            }
            outcome = .success(())
        } catch let status as Status {
            outcome = .failure(failure(status))
        } catch {
            outcome = .failure(error)
        }
        await connection.shutDown()
        group.shutDown()
        if verbosity > 1 { show(steps) }
        try outcome.get()
    }

    private static func within(_ limit: Duration?, _ body: () async throws -> Void) async throws {
        guard let limit else { return try await body() }
        try await Deadline.within(limit) { () async throws in try await body() }
    }

    private static func source(
        of connection: ServerConnection, name: String?, _ schema: SchemaOptions, _ metadata: Metadata
    ) async throws -> any SchemaSource {
        if let files = try await schema.files() { return files }
        if !schema.reflection, let name, BuiltInContracts.find(name) != nil { return try BuiltInContracts.source() }
        return TimedSource(
            ReflectionSource(connection, target: connection.target, metadata: metadata), connection.steps)
    }

    /// A status that no call showed: it came on the way to one.
    private static func failure(_ status: Status) -> ToolFailure {
        status.isNoConnection ? .notConnected(status.message) : .noSchema("\(status)")
    }

    private static func show(_ steps: StepLog) {
        var whole = Duration.zero
        for entry in steps.entries {
            whole += entry.duration
            let name = entry.step.rawValue + String(repeating: " ", count: max(0, 12 - entry.step.rawValue.count))
            Terminal.note("* \(name) \(TimeText.format(entry.duration))  \(entry.subject)")
        }
        Terminal.note("* together     \(TimeText.format(whole))")
    }
}
