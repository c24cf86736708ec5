package import Foundation
internal import Processes

/// A program that a test talks to while it runs, by pipes to its standard input and from its standard output. Its calls
/// block: use them on a `BlockingPool`.
package final class PipedProgram: Sendable {
    /// Of the process.
    package var identifier: Int32 { process.identifier }
    private let process: ChildProcess
    private let input = Pipe()
    private let output = Pipe()

    /// - Parameters:
    ///   - path: as the shell would look it up.
    ///   - errors: a descriptor for its standard error; without one, that of the tests.
    ///   - mixesErrors: its standard error comes in what is read.
    package init(
        _ path: String, _ arguments: [String], errors: FileHandle = .standardError, mixesErrors: Bool = false,
        environment: [String: String] = [:]
    ) throws {
        let writing = output.fileHandleForWriting
        process = try ChildProcess(
            ["env", path] + arguments, input: input.fileHandleForReading.fileDescriptor,
            output: writing.fileDescriptor, errors: (mixesErrors ? writing : errors).fileDescriptor,
            environment: environment)
        // Its own ends are the only ones now: what it reads and what we read have an end.
        try input.fileHandleForReading.close()
        try writing.close()
    }

    /// What has come, after waiting for something; empty when nothing follows.
    package func read() -> String { String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) }

    package func readToEnd() throws -> String {
        String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    package func write(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    /// Tells the program that nothing follows.
    package func closeInput() throws { try input.fileHandleForWriting.close() }

    package var isRunning: Bool { !process.hasEnded }

    package func send(_ signal: Int32) { process.send(signal) }

    /// Waits for its end and returns what it exited with; nil when a signal has ended it.
    @discardableResult
    package func exitStatus() -> Int32? { process.exitStatus() }
}
