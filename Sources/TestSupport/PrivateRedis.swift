internal import EventLoop
internal import Glibc
internal import LocalServers
internal import Processes
public import Redis

/// A Redis server of our own, in a temporary directory, behind a Unix-domain socket. It ends with the process.
///
/// Its append-only file is flushed to the disk once a second.
public final class PrivateRedis: Sendable {
    public enum StopMode: Sendable {
        /// Writes everything: SIGTERM.
        case orderly
        /// As in a crash: SIGKILL.
        case crash
    }

    /// Where clients connect.
    public let socketPath: String
    public var endpoint: RedisEndpoint { .unix(path: socketPath) }
    private let directory: TemporaryDirectory
    private let server: RedisServer

    /// Starts a server; takes about 50 ms. The calls behind it block a thread of their own.
    public static func start() async throws -> PrivateRedis {
        try await BlockingPool.shared.run {
            Result { try PrivateRedis() }
        }.get()
    }

    /// Ends the server. Connections to it break.
    public func stop(_ mode: StopMode = .orderly) async throws {
        try await BlockingPool.shared.run { self.server.stop(crash: mode == .crash) }
    }

    /// Starts the server again after `stop`, on the same files and socket.
    ///
    /// - Parameter empty: without its data, as after the loss of the disk.
    public func restart(empty: Bool = false) async throws {
        try await BlockingPool.shared.run {
            Result {
                if empty { try ChildProcess.run(["rm", "-rf", "\(self.directory.path)/appendonlydir"]) }
                try self.server.start()
            }
        }.get()
    }

    /// Stops the server's process without ending it (SIGSTOP): connections stay, answers do not come.
    public func freeze() { server.send(SIGSTOP) }

    /// Undoes `freeze`.
    public func thaw() { server.send(SIGCONT) }

    init() throws {
        directory = try TemporaryDirectory()
        if let user = ServerAccount.user { try ChildProcess.run(["chown", user, directory.path]) }
        socketPath = "\(directory.path)/redis.sock"
        server = RedisServer(
            dataFolder: directory.path, socketPath: socketPath, logPath: "\(directory.path)/redis.log")
        try server.start()
        Cleanup.atExit { [self] in server.stop(crash: true) }
    }
}
