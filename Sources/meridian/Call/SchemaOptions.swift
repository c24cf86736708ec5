import ArgumentParser
import EventLoop
import Foundation
import Protobuf
import RPCCore
import RPCTool

/// Where one learns what a server speaks, and where that is kept.
struct SchemaOptions: ParsableArguments {
    @Option(
        name: .long, help: "Read this .proto file (needs protoc) instead of asking the server. May be repeated.",
        completion: .file(extensions: ["proto"]))
    var proto: [String] = []

    @Option(
        name: [.customShort("I"), .customLong("import-path")],
        help: "Where .proto files and their imports are. May be repeated.", completion: .directory)
    var importPath: [String] = []

    @Option(
        name: .customLong("descriptor-set"),
        help: "Read this file, which protoc --descriptor_set_out --include_imports made. May be repeated.",
        completion: .file())
    var descriptorSet: [String] = []

    @Flag(name: .long, help: "Ask the server also about services that are known here.")
    var reflection = false

    @Option(
        name: .customLong("save-schema"), help: "Write the files of the schema to this file, as a descriptor set.",
        completion: .file())
    var saveSchema: String?

    @Option(
        name: .customLong("save-protos"), help: "Write the files of the schema to this folder, as .proto files.",
        completion: .directory)
    var saveProtos: String?

    func validate() throws {
        let ways = [!proto.isEmpty, !descriptorSet.isEmpty, reflection].count { $0 }
        guard ways <= 1 else { throw ValidationError("--proto, --descriptor-set and --reflection exclude each other.") }
        guard importPath.isEmpty || !proto.isEmpty else { throw ValidationError("--import-path is for --proto.") }
    }

    /// What the files that are named say; nil when none is.
    func files() async throws -> SchemaFiles? {
        if !proto.isEmpty {
            let (files, paths) = (proto, importPath)
            return try await BlockingPool.shared.run {
                Result { () throws(ToolFailure) in try ProtoCompiler().compile(files, importPaths: paths) }
            }.get()
        }
        guard !descriptorSet.isEmpty else { return nil }
        var sets: [(name: String, bytes: [UInt8])] = []
        for path in descriptorSet {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ToolFailure.noSchema("\(path) cannot be read.")
            }
            sets.append((path, [UInt8](data)))
        }
        return try SchemaFiles(descriptorSets: sets)
    }

    /// Writes what was asked for; paths of written files go to standard error.
    func save(_ schema: @autoclosure () async throws -> Schema) async throws {
        guard saveSchema != nil || saveProtos != nil else { return }
        let schema = try await schema()
        if let saveSchema {
            try SavedSchema.writeSet(schema, to: saveSchema)
            Terminal.note("Wrote \(schema.files.count) files of the schema to \(saveSchema).")
        }
        if let saveProtos {
            for path in try SavedSchema.writeProtos(schema, below: saveProtos) { Terminal.note("Wrote \(path)") }
        }
    }
}
