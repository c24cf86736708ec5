internal import EventLoop
internal import Glibc
internal import LocalServers
public import Postgres
internal import Processes

/// A PostgreSQL server of our own, in a temporary directory, behind a Unix-domain socket. It ends with the process.
///
/// Its files are copied from a template that `initdb` makes once per machine. It does not wait for the disk (fsync is
/// off), so it survives its own crash but not the machine's: right for tests, wrong for measurements.
public final class PrivatePostgres: Sendable {
    public enum StopMode: Sendable {
        /// Ends all sessions and writes everything: SIGINT.
        case fast
        /// As in a crash: SIGKILL for the server, whose backends then leave at once.
        case crash
    }

    /// How to reach the database `postgres` as its superuser.
    public let configuration: PostgresConfiguration
    /// The port on 127.0.0.1 if it listens there.
    public let tcpPort: UInt16?
    private let directory: TemporaryDirectory
    private let server: PostgresServer

    /// Starts a server; takes a quarter of a second. The calls behind it block a thread of their own.
    ///
    /// - Parameter listensOnTCP: whether it also listens on a free port of 127.0.0.1, where it asks for passwords.
    public static func start(listensOnTCP: Bool = false) async throws -> PrivatePostgres {
        try await BlockingPool.shared.run {
            Result { try PrivatePostgres(listensOnTCP: listensOnTCP) }
        }.get()
    }

    /// Ends the server. Connections to it break.
    public func stop(_ mode: StopMode = .fast) async throws {
        try await BlockingPool.shared.run { self.server.stop(mode == .fast ? .fast : .crash) }
    }

    /// Starts the server again after `stop`, on the same files and socket.
    public func restart() async throws {
        try await BlockingPool.shared.run {
            Result { try self.server.start() }
        }.get()
    }

    init(listensOnTCP: Bool = false) throws {
        directory = try TemporaryDirectory()
        tcpPort = listensOnTCP ? try freePort() : nil
        configuration = PostgresConfiguration(
            host: directory.path, port: tcpPort ?? 5432, user: "postgres", database: "postgres")
        if let user = ServerAccount.user { try ChildProcess.run(["chown", user, directory.path]) }
        var settings = [
            ("fsync", "off"), ("max_connections", "500"), ("shared_buffers", "64MB"), ("jit", "off"),
            ("log_min_messages", "warning"), ("deadlock_timeout", "100ms"),
            // Shared memory that a crash leaves behind then goes with the directory.
            ("dynamic_shared_memory_type", "mmap"),
        ]
        if let tcpPort { settings += [("listen_addresses", "127.0.0.1"), ("port", "\(tcpPort)")] }
        server = try PostgresServer(
            dataFolder: "\(directory.path)/data", socketFolder: directory.path,
            logPath: "\(directory.path)/postgres.log", settings: settings)
        try copyTemplate()
        try writeFile(
            "\(directory.path)/data/pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        try server.start()
        Cleanup.atExit { [self] in server.stop(.crash) }
    }

    private func copyTemplate() throws {
        let template = "\(TemporaryDirectory.parent)/meridian-pg-template-\(server.version)-\(geteuid())"
        if unsafe access("\(template)/PG_VERSION", F_OK) != 0 {
            let made = "\(directory.path)/template"
            let maker = try PostgresServer(
                dataFolder: made, socketFolder: directory.path, logPath: "\(directory.path)/postgres.log", settings: [])
            try maker.initialize()
            // Another run may have been faster; either template is good.
            _ = try? ChildProcess.run(["mv", "-T", "-n", made, template])
        }
        try ChildProcess.run(["cp", "-a", template, "\(directory.path)/data"])
    }
}
