internal import Foundation
internal import LocalServers

/// A server in a process of its own, as its users start it. Its calls block: use them on a `BlockingPool`.
package final class ServerProgram: Sendable {
    /// From the line that it wrote when it was ready: what stands behind the last colon.
    package let port: UInt16
    private let process: ChildProcess
    private let folder: TemporaryDirectory

    /// Starts `command` and waits for its first line. The server also ends with this process.
    ///
    /// - Parameter limit: for that line; without it the server is ended, and what it wrote is in the error.
    package init(_ command: [String], limit: Duration = .seconds(30)) throws {
        folder = try TemporaryDirectory()
        let log = "\(folder.path)/output"
        process = try ChildProcess(["setpriv", "--pdeathsig", "KILL"] + command, logPath: log)
        let deadline = ContinuousClock.now + limit
        while true {
            let hasEnded = process.hasEnded
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            if let port = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).dropLast().first
                .flatMap({ $0.split(separator: ":").last }).flatMap({ UInt16($0) })
            {
                self.port = port
                return
            }
            guard !hasEnded, .now < deadline else {
                Self.end(process)
                folder.remove()
                throw Program.Failure(description: "\(command) is not ready: \(text)")
            }
            usleep(5000)
        }
    }

    /// Ends the server (SIGTERM, SIGKILL if that does not help within 5 s). Returns whether it had run until then.
    @discardableResult
    package func stop() -> Bool {
        let hasRun = !process.hasEnded
        Self.end(process)
        folder.remove()
        return hasRun
    }

    private static func end(_ process: ChildProcess) {
        process.send(SIGTERM)
        let deadline = ContinuousClock.now + .seconds(5)
        while !process.hasEnded, .now < deadline { usleep(5000) }
        process.send(SIGKILL)
        process.wait()
    }
}
