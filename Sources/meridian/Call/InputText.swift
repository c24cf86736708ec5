import Foundation
import RPCTool

/// Text in an argument, in a file or in standard input.
enum InputText {
    /// The text itself; @FILE is that of a file, @- that of standard input. Throws `ToolFailure.invalid`.
    static func read(_ argument: String) throws -> String {
        guard argument.hasPrefix("@") else { return argument }
        let name = String(argument.dropFirst())
        let data: Data?
        if name == "-" {
            data = try FileHandle.standardInput.readToEnd() ?? Data()
        } else {
            data = FileManager.default.contents(atPath: name)
        }
        guard let data else { throw ToolFailure.invalid("\(name) cannot be read.") }
        guard let text = String(data: data, encoding: .utf8) else { throw ToolFailure.invalid("\(name) is not UTF-8.") }
        return text
    }
}
