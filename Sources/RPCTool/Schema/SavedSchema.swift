import Foundation
import Protobuf

/// Writes schemas to files.
package enum SavedSchema {
    /// A descriptor set, as protoc writes it and `--descriptor-set` reads it.
    package static func writeSet(_ schema: Schema, to path: String) throws(ToolFailure) {
        try write(schema.descriptorSet, to: path)
    }

    /// Each file as `.proto` source below a folder, which is made if it is not there. Returns the paths.
    ///
    /// The names come from a server: one that would leave the folder is refused before anything is written.
    package static func writeProtos(_ schema: Schema, below folder: String) throws(ToolFailure) -> [String] {
        let names = schema.files.map { $0.name ?? "" }
        for name in names {
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }), !name.utf8.contains(0) else {
                throw .other("The file \"\(name)\" would lie outside \(folder); nothing was written.")
            }
        }
        var written: [String] = []
        for (file, name) in zip(schema.files, names) {
            let path = "\(folder)/\(name)"
            let text = try ProtoSource.text(of: file, in: schema)
            do {
                try FileManager.default.createDirectory(
                    atPath: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]),
                    withIntermediateDirectories: true)
            } catch {
                throw .other("The folder of \(path) cannot be made: \(error)")
            }
            try write(Array(text.utf8), to: path)
            written.append(path)
        }
        return written
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(ToolFailure) {
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw .other("\(path) cannot be written: \(error)")
        }
    }
}
