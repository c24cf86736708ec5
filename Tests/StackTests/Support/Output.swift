import Foundation

/// What a program wrote, and how it ended. Blocks until it has.
struct Output: Sendable {
    let status: Int32
    let text: String
    let errors: String

    init?(of program: String, _ arguments: [String]) {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
            text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            self.errors = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        } catch {
            return nil
        }
        process.waitUntilExit()
        status = process.terminationStatus
    }
}
