import Dispatch
import Foundation
import Glibc
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
        defer { try? FileManager.default.removeItem(atPath: output) }
        try run(Self.arguments(files, importPaths: importPaths, output: output))
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

    private func run(_ arguments: [String]) throws(ToolFailure) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        let text: Data
        let timer: any DispatchSourceTimer
        do {
            try process.run()
            timer = Self.end(process, after: limit)
            text = try errors.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw .noSchema("\(program) cannot be run: \(error)")
        }
        process.waitUntilExit()
        timer.cancel()
        guard process.terminationReason == .exit else { throw .noSchema("\(program) did not end within \(limit).") }
        guard process.terminationStatus != 127 else {
            throw .noSchema(
                "\(program) is not there. It reads .proto files: install it (Debian: protobuf-compiler), or make a "
                    + "descriptor set elsewhere and give that.")
        }
        guard process.terminationStatus == 0 else {
            throw .noSchema("\(program) refused the files:\n\(String(decoding: text, as: UTF8.self))")
        }
    }

    /// By SIGKILL: a child may have inherited the other signals blocked.
    private static func end(_ process: Process, after limit: Duration) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: .global())
        let (seconds, attoseconds) = limit.components
        timer.schedule(deadline: .now() + Double(seconds) + Double(attoseconds) / 1e18)
        timer.setEventHandler { kill(process.processIdentifier, SIGKILL) }
        timer.resume()
        return timer
    }
}
