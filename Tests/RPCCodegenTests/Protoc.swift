import Foundation
import RPCCodegen
import SwiftProtobuf
import SwiftProtobufPluginLibrary
import TestSupport

/// Runs the generator on `.proto` sources, as protoc would, but inside the test.
enum Protoc {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the generator writes for `sources` (by file name), or its error.
    static func generate(
        _ sources: [String: String], parameter: String = "",
        changing change: (inout Google_Protobuf_Compiler_CodeGeneratorRequest) -> Void = { _ in }
    ) throws -> [String: String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "protoc-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in sources {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let set = folder.appending(path: "set")
        try run(
            "protoc",
            ["-I", folder.path, "--include_imports", "--include_source_info", "--descriptor_set_out", set.path]
                + sources.keys.sorted())
        var request = Google_Protobuf_Compiler_CodeGeneratorRequest()
        request.protoFile = try Google_Protobuf_FileDescriptorSet(serializedBytes: Data(contentsOf: set)).file
        request.fileToGenerate = sources.keys.sorted()
        request.parameter = parameter
        change(&request)
        let response = generateCode(request: request, generator: Generator())
        if response.hasError { throw Failure(description: response.error) }
        return Dictionary(uniqueKeysWithValues: response.file.map { ($0.name, $0.content) })
    }

    static var supportsEditions: Bool { Generator().supportedFeatures.contains(.supportsEditions) }

    /// Runs a program to its end; ending with another code than 0 is a failure.
    static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let result = try Program.run(program, arguments, environment: environment)
        if result.status != 0 { throw Failure(description: result.text + result.errors) }
    }
}
