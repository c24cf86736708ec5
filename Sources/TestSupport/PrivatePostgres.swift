internal import EventLoop
internal import Glibc
public import Postgres
internal import Synchronization

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
    private let directory: TemporaryDirectory
    private let programs: String
    private let process = Mutex<ChildProcess?>(nil)

    /// Starts a server; takes a quarter of a second. The calls behind it block a thread of their own.
    public static func start() async throws -> PrivatePostgres {
        try await BlockingPool.shared.run {
            Result { try PrivatePostgres() }
        }.get()
    }

    /// Ends the server. Connections to it break.
    public func stop(_ mode: StopMode = .fast) async throws {
        try await BlockingPool.shared.run { self.stopBlocking(mode) }
    }

    /// Starts the server again after `stop`, on the same files and socket.
    public func restart() async throws {
        try await BlockingPool.shared.run {
            Result { try self.startBlocking() }
        }.get()
    }

    init() throws {
        programs = try Self.findPrograms()
        directory = try TemporaryDirectory()
        configuration = PostgresConfiguration(host: directory.path, user: "postgres", database: "postgres")
        if let user = ServerAccount.user { try ChildProcess.run(["chown", user, directory.path]) }
        try copyTemplate()
        try startBlocking()
        Cleanup.atExit { [self] in stopBlocking(.crash) }
    }

    private var data: String { "\(directory.path)/data" }
    private var log: String { "\(directory.path)/postgres.log" }

    private func startBlocking() throws {
        // After a crash the old backends notice one by one, and no server starts while one is still attached.
        for _ in 0..<100 {
            let server = try launch()
            while !server.hasEnded {
                if try ChildProcess(["\(programs)/pg_isready", "-q", "-h", directory.path]).wait() == 0 {
                    process.withLock { $0 = server }
                    return
                }
                usleep(5000)
            }
            usleep(20_000)
        }
        throw ChildProcess.Failure(description: "PostgreSQL did not start; see \(log)")
    }

    private func launch() throws -> ChildProcess {
        try ChildProcess(
            ServerAccount.command(onParentDeath: "QUIT") + [
                "\(programs)/postgres", "-D", data, "-k", directory.path, "-c", "listen_addresses=", "-c", "port=5432",
                "-c", "unix_socket_permissions=0777", "-c", "fsync=off", "-c", "max_connections=200",
                "-c", "shared_buffers=64MB", "-c", "jit=off", "-c", "log_min_messages=warning",
                "-c", "deadlock_timeout=100ms",
                // Shared memory that a crash leaves behind then goes with the directory.
                "-c", "dynamic_shared_memory_type=mmap",
            ], logPath: log)
    }

    private func stopBlocking(_ mode: StopMode) {
        guard let server = process.withLock({ $0.take() }) else { return }
        switch mode {
        case .fast: server.send(SIGINT)
        case .crash: server.send(SIGKILL)
        }
        server.wait()
    }

    private func copyTemplate() throws {
        let version = programs.split(separator: "/").dropLast().last.map(String.init) ?? "unknown"
        let template = "\(TemporaryDirectory.parent)/meridian-pg-template-\(version)-\(geteuid())"
        if unsafe access("\(template)/PG_VERSION", F_OK) != 0 {
            let made = "\(directory.path)/template"
            try ChildProcess.run(
                ServerAccount.command() + [
                    "\(programs)/initdb", "-D", made, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                    "--no-sync",
                ], logPath: log)
            // Another run may have been faster; either template is good.
            _ = try? ChildProcess.run(["mv", "-T", "-n", made, template])
        }
        try ChildProcess.run(["cp", "-a", template, data], logPath: log)
    }

    private static func findPrograms() throws(ChildProcess.Failure) -> String {
        for version in stride(from: 30, through: 12, by: -1) {
            let path = "/usr/lib/postgresql/\(version)/bin"
            if unsafe access("\(path)/postgres", X_OK) == 0 { return path }
        }
        throw ChildProcess.Failure(description: "no PostgreSQL in /usr/lib/postgresql; install the package postgresql")
    }
}
