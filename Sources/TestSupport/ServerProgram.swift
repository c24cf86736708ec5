internal import Foundation
internal import Processes

/// A server in a process of its own, as its users start it. Its calls block: use them on a `BlockingPool`.
package final class ServerProgram: Sendable {
    /// From the line that it wrote when it was ready, `serving ... at HOST:PORT`.
    package let port: UInt16
    /// Of the process.
    package var identifier: Int32 { process.identifier }
    private let process: ChildProcess
    private let folder: TemporaryDirectory

    /// Starts `command` and waits for that line. The server also ends with this process.
    ///
    /// - Parameter limit: for the line; without it the server is ended, and what it wrote is in the error.
    package init(_ command: [String], limit: Duration = .seconds(30)) throws {
        folder = try TemporaryDirectory()
        let log = "\(folder.path)/output"
        process = try ChildProcess(["setpriv", "--pdeathsig", "KILL"] + command, logPath: log)
        let deadline = ContinuousClock.now + limit
        while true {
            let hasEnded = process.hasEnded
            let text = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
            // Whole lines only: what stands behind the last line's end has not come yet.
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            let ready = lines.first { $0.hasPrefix("serving ") }
            if let port = ready?.split(separator: ":").last.flatMap({ UInt16($0) }) {
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
