import ArgumentParser
import Foundation
import RPCTool

/// Standard output for programs, standard error for people.
enum Terminal {
    static func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    static let output = CallRun.Output(reply: { say($0) }, note: { note($0) })

    /// Runs a command and turns a failure into its exit code.
    static func run(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as ToolFailure {
            // The status of a call was shown where it came.
            if case .status = failure {} else { note("\(failure)") }
            throw ExitCode(failure.exitCode)
        }
    }
}
