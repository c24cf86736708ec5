import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The file of option `ProtoPathModuleMappings`, in the format of protoc-gen-swift: which `.proto` files are in which
/// module.
///
/// ```
/// mapping { module_name: "Base" proto_file_path: "base/money.proto" proto_file_path: "base/time.proto" }
/// ```
enum ModuleMappingFile {
    /// Whole paths with their modules.
    static func read(_ path: String) throws -> [(pathPrefix: String, module: String)] {
        func fault(_ reason: String) -> GeneratorError { GeneratorError(file: path, reason) }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw fault("the file of option ProtoPathModuleMappings cannot be read")
        }
        let mappings: SwiftProtobuf_GenSwift_ModuleMappings
        do {
            mappings = try SwiftProtobuf_GenSwift_ModuleMappings(textFormatString: text)
        } catch {
            throw fault(
                "not module mappings; write: mapping { module_name: \"Base\" proto_file_path: \"base/money.proto\" }")
        }
        var modules: [String: String] = [:]
        for mapping in mappings.mapping {
            if mapping.moduleName.isEmpty { throw fault("a mapping has no module_name") }
            if mapping.protoFilePath.isEmpty { throw fault("module \(mapping.moduleName) has no proto_file_path") }
            for path in mapping.protoFilePath {
                if let other = modules.updateValue(mapping.moduleName, forKey: path), other != mapping.moduleName {
                    throw fault("\(path) is in \(other) and in \(mapping.moduleName)")
                }
            }
        }
        return modules.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
