import Foundation
import Glibc
import Processes
import Protobuf

/// Reads `.proto` files by running protoc, which is looked up in PATH.
///
/// Blocks while it runs: call it on a thread that may wait.
package struct ProtoCompiler: Sendable {
    private let program: String
    private let limit: Duration

    /// - Parameter limit: how long protoc may take; then it is ended.
    package init(program: String = "protoc", limit: Duration = .seconds(60)) {
        self.program = program
        self.limit = limit
    }

    /// What the files define, comments included.
    ///
    /// - Parameter importPaths: where files and their imports are looked for; without any, the current folder and the
    ///   folders of the files.
    package func compile(_ files: [String], importPaths: [String]) throws(ToolFailure) -> SchemaFiles {
        let output = FileManager.default.temporaryDirectory.appending(path: "meridian-\(UUID().uuidString).set").path
        let log = "\(output).log"
        defer { for path in [output, log] { try? FileManager.default.removeItem(atPath: path) } }
        try run(Self.arguments(files, importPaths: importPaths, output: output), log: log)
        do {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: output)))
            let set = try Google_Protobuf_FileDescriptorSet(decoding: bytes)
            return try SchemaFiles(set.file, name: files.joined(separator: ", "))
        } catch let failure as ToolFailure {
            throw failure
        } catch {
            throw .noSchema("What protoc wrote cannot be read: \(error)")
        }
    }

    static func arguments(_ files: [String], importPaths: [String], output: String) -> [String] {
        var paths = importPaths
        if paths.isEmpty {
            paths = ["."]
            for file in files {
                guard let slash = file.lastIndex(of: "/") else { continue }
                let folder = slash == file.startIndex ? "/" : String(file[..<slash])
                // A file must lie under exactly one of the paths, the first being tried first.
                if folder.hasPrefix("/") || folder.hasPrefix(".."), !paths.contains(folder) { paths.append(folder) }
            }
        }
        let options = ["--include_imports", "--include_source_info", "--descriptor_set_out=\(output)"]
        // protoc has no mark for the end of its options.
        return paths.map { "-I\($0)" } + options + files.map { $0.hasPrefix("-") ? "./\($0)" : $0 }
    }

    /// - Parameter log: of a file for what protoc says.
    private func run(_ arguments: [String], log: String) throws(ToolFailure) {
        let status: Int32?
        let text: String
        do {
            let process = try ChildProcess(["env", program] + arguments, logPath: log)
            if try !process.waits(atMost: limit) { process.send(SIGKILL) }
            status = process.exitStatus()
            text = try String(contentsOfFile: log, encoding: .utf8)
        } catch {
            throw .noSchema("\(program) cannot be run: \(error)")
        }
        guard let status else { throw .noSchema("\(program) did not end within \(limit).") }
        guard status != 127 else {
            throw .noSchema(
                "\(program) is not there. It reads .proto files: install it (Debian: protobuf-compiler), or make a "
                    + "descriptor set elsewhere and give that.")
        }
        guard status == 0 else { throw .noSchema("\(program) refused the files:\n\(text)") }
    }
}
