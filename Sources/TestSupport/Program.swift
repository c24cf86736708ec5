package import Foundation
internal import Synchronization

/// Runs other programs to their end. Blocks: call it on a thread that may wait.
package enum Program {
    package struct Result: Sendable {
        package let status: Int32
        /// What it wrote to standard output.
        package let output: Data
        /// What it wrote to standard error.
        package let errors: String

        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The folder of what was built together with the tests.
    package static func products() throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: tests).deletingLastPathComponent().path
    }

    /// The path of a program of this package that was built together with the tests.
    package static func built(_ name: String) throws -> String { "\(try products())/\(name)" }

    /// - Parameters:
    ///   - path: as the shell would look it up.
    ///   - limit: how long it may run; then it is killed, and that is an error.
    package static func run(
        _ path: String, _ arguments: [String] = [], input: Data = Data(), environment: [String: String] = [:],
        folder: String? = nil, limit: Duration = .seconds(60)
    ) throws -> Result {
        // Files, not pipes: whoever writes much and reads nothing must not block either side.
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let names = ["input", "output", "errors"].map { "\(directory.path)/\($0)" }
        try input.write(to: URL(filePath: names[0]))
        for name in names[1...] { try Data().write(to: URL(filePath: name)) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: names[0]))
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: names[1]))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: names[2]))
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        let (seconds, attoseconds) = limit.components
        if ended.wait(timeout: .now() + Double(seconds) + Double(attoseconds) / 1e18) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
            throw Failure(description: "\(path) did not end within \(limit)")
        }
        return Result(
            status: process.terminationStatus, output: try Data(contentsOf: URL(filePath: names[1])),
            errors: String(decoding: try Data(contentsOf: URL(filePath: names[2])), as: UTF8.self))
    }
}
