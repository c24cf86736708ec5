internal import Glibc
package import Processes
internal import Synchronization

/// A private Redis server behind a unix socket, with an append-only file synced every second. All calls block.
package final class RedisServer: Sendable {
    package let socketPath: String
    private let dataFolder: String
    private let logPath: String
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameter dataFolder: exists and belongs to the unprivileged user.
    package init(dataFolder: String, socketPath: String, logPath: String) {
        self.dataFolder = dataFolder
        self.socketPath = socketPath
        self.logPath = logPath
    }

    /// Starts the server and returns when it answers.
    package func start() throws(ChildProcess.Failure) {
        let server = try ChildProcess(
            ServerAccount.command(onParentDeath: "TERM") + [
                "redis-server", "--port", "0", "--unixsocket", socketPath, "--unixsocketperm", "777",
                "--dir", dataFolder, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                "--daemonize", "no",
            ], logPath: logPath)
        for _ in 0..<2000 {
            if server.hasEnded { break }
            // With -e a server that still reads its file has not answered.
            if try ChildProcess(["redis-cli", "-s", socketPath, "-e", "PING"]).wait() == 0 {
                process.withLock { $0 = server }
                return
            }
            usleep(5000)
        }
        throw ChildProcess.Failure(description: "Redis did not start; see \(logPath)")
    }

    /// Sends a signal to the server, for instance SIGSTOP; it stays this object's server.
    package func send(_ signal: Int32) { process.withLock { $0?.send(signal) } }

    /// - Parameter crash: SIGKILL instead of an orderly end: what was not synced yet is lost.
    package func stop(crash: Bool = false) {
        guard let server = process.withLock({ $0.take() }) else { return }
        server.send(crash ? SIGKILL : SIGTERM)
        server.wait()
    }
}
