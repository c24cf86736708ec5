package import Foundation
internal import Processes

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
        let streams = (
            input: try FileHandle(forReadingFrom: URL(filePath: names[0])),
            output: try FileHandle(forWritingTo: URL(filePath: names[1])),
            errors: try FileHandle(forWritingTo: URL(filePath: names[2]))
        )
        let process = try ChildProcess(
            ["env", path] + arguments, input: streams.input.fileDescriptor, output: streams.output.fileDescriptor,
            errors: streams.errors.fileDescriptor, environment: environment, folder: folder)
        guard try process.waits(atMost: limit) else {
            process.send(SIGKILL)
            process.wait()
            throw Failure(description: "\(path) did not end within \(limit)")
        }
        guard let status = process.exitStatus() else { throw Failure(description: "\(path) was ended by a signal") }
        return Result(
            status: status, output: try Data(contentsOf: URL(filePath: names[1])),
            errors: String(decoding: try Data(contentsOf: URL(filePath: names[2])), as: UTF8.self))
    }
}
