internal import Glibc
package import Processes
internal import Synchronization

/// A private PostgreSQL server: its own data folder, reached by a unix socket only, run as an unprivileged user, and
/// ended by the kernel when the thread that started it ends. All calls block: use them on a `BlockingPool`.
package final class PostgresServer: Sendable {
    package enum StopMode: Sendable {
        /// Ends all sessions and writes everything: SIGINT.
        case fast
        /// As in a crash: SIGKILL for the server and its backends, none of which is left when the call returns.
        case crash
    }

    /// Its socket is here; what libpq calls the host.
    package let socketFolder: String
    private let dataFolder: String
    private let logPath: String
    private let settings: [(String, String)]
    private let programs: String
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameters:
    ///   - dataFolder: filled by `initialize`; must be reachable by the unprivileged user.
    ///   - socketFolder: writable by the unprivileged user; at most 90 bytes long.
    ///   - settings: beyond those of a private server, as in postgresql.conf.
    package init(
        dataFolder: String, socketFolder: String, logPath: String, settings: [(String, String)]
    ) throws(ChildProcess.Failure) {
        self.dataFolder = dataFolder
        self.socketFolder = socketFolder
        self.logPath = logPath
        self.settings = settings
        programs = try Self.findPrograms()
    }

    /// The major version, for example "15".
    package var version: String { programs.split(separator: "/").dropLast().last.map(String.init) ?? "unknown" }

    package var isInitialized: Bool { unsafe access("\(dataFolder)/PG_VERSION", F_OK) == 0 }

    /// Makes the data folder with initdb: superuser postgres, no password on the private socket, UTF-8, C locale.
    package func initialize() throws(ChildProcess.Failure) {
        try ChildProcess.run(
            ServerAccount.command() + [
                "\(programs)/initdb", "-D", dataFolder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                "--no-sync",
            ], logPath: logPath)
    }

    /// Starts the server and returns when it takes connections.
    package func start() throws(ChildProcess.Failure) {
        // After a crash the old backends notice one by one, and no server starts while one is still attached.
        let port = settings.last { $0.0 == "port" }?.1 ?? "5432"
        for _ in 0..<100 {
            let server = try launch()
            while !server.hasEnded {
                if try ChildProcess(["\(programs)/pg_isready", "-q", "-h", socketFolder, "-p", port]).wait() == 0 {
                    process.withLock { $0 = server }
                    return
                }
                usleep(5000)
            }
            usleep(20_000)
        }
        throw ChildProcess.Failure(description: "PostgreSQL did not start; see \(logPath)")
    }

    /// Ends the server and waits for it. Connections to it break.
    package func stop(_ mode: StopMode = .fast) {
        guard let server = process.withLock({ $0.take() }) else { return }
        switch mode {
        case .fast: server.send(SIGINT)
        case .crash: Self.crash(server)
        }
        server.wait()
    }

    private func launch() throws(ChildProcess.Failure) -> ChildProcess {
        let own = [("listen_addresses", ""), ("port", "5432"), ("unix_socket_permissions", "0777")]
        return try ChildProcess(
            ServerAccount.command(onParentDeath: "QUIT") + [
                "\(programs)/postgres", "-D", dataFolder, "-k", socketFolder,
            ]
                + (own + settings).flatMap { ["-c", "\($0.0)=\($0.1)"] },
            logPath: logPath)
    }

    /// A backend notices late that its server has gone, and would go on answering: each is ended by name.
    private static func crash(_ server: ChildProcess) {
        server.send(SIGSTOP)  // It starts no further backend while they are counted.
        let backends = children(of: server.identifier)
        server.send(SIGKILL)
        for backend in backends { kill(backend, SIGKILL) }
        for _ in 0..<5000 where backends.contains(where: isAlive) { usleep(1000) }
    }

    private static func children(of process: pid_t) -> [pid_t] {
        text(of: "/proc/\(process)/task/\(process)/children").split(separator: " ").compactMap { pid_t($0) }
    }

    /// False when it has gone, or has ended and only waits to be collected.
    private static func isAlive(_ process: pid_t) -> Bool {
        let state = text(of: "/proc/\(process)/stat").split(separator: ")").last?.first { $0 != " " }
        return state != nil && state != "Z"
    }

    private static func text(of path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).filter { $0 != 0x0A }, as: UTF8.self)
    }

    private static func findPrograms() throws(ChildProcess.Failure) -> String {
        for version in stride(from: 30, through: 12, by: -1) {
            let path = "/usr/lib/postgresql/\(version)/bin"
            if unsafe access("\(path)/postgres", X_OK) == 0 { return path }
        }
        throw ChildProcess.Failure(description: "no PostgreSQL in /usr/lib/postgresql; install the package postgresql")
    }
}
