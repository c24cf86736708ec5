import Foundation

/// Runs a program to its end; blocks, so call it on a thread that may wait.
func runProgram(_ program: String, _ arguments: [String]) -> (status: Int32, output: String)? {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = output
    do {
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    } catch {
        return nil
    }
}
