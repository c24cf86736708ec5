import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What is refused before anything is written, since the code would not compile or not do what the file says.
struct FileCheck {
    let files: [FileDescriptor]
    let names: TypeNames

    func check() throws {
        for file in files {
            try checkSyntax(of: file)
            if let prefix = names.badPrefix(of: file) {
                throw GeneratorError(
                    file: file.name, line: Self.line(of: [8, 39], in: file),
                    "option swift_prefix needs a Swift name, not '\(prefix)'")
            }
        }
        try checkOutputs()
        try checkTypes()
    }

    /// proto3 alone: other files may have required fields, defaults, groups, closed enums and extensions.
    private func checkSyntax(of file: FileDescriptor) throws {
        // It describes all others, and its fields are ordinary ones that have presence.
        if file.edition == .proto3 || file.name == "google/protobuf/descriptor.proto" { return }
        let found = file.edition == .proto2 ? "proto2" : "an edition"
        throw GeneratorError(
            file: file.name, line: Self.line(of: [file.edition == .proto2 ? 12 : 14], in: file) ?? 1,
            "\(found) is not supported, with its groups, required fields, defaults and extensions; "
                + "write syntax = \"proto3\" (optional fields keep their presence there)")
    }

    private func checkOutputs() throws {
        var sources: [String: String] = [:]
        for file in files {
            let output = FileGenerator(file: file, names: names).outputName(".pb.swift")
            if let other = sources.updateValue(file.name, forKey: output) {
                throw GeneratorError(
                    file: file.name,
                    "would be written to \(output), like \(other); set FileNaming=FullPath or PathToUnderscores")
            }
        }
    }

    /// All types of one run are in one module.
    private func checkTypes() throws {
        var scope = NameScope()
        for file in files {
            if names.options.messages {
                for message in file.messages {
                    try scope.add(names.name(of: message), for: message, called: message.fullName)
                }
                for enumeration in file.enums {
                    try scope.add(names.name(of: enumeration), for: enumeration, called: enumeration.fullName)
                }
            }
            for service in file.services where names.options.services {
                for name in ServiceGenerator.types(of: service, names: names) {
                    try scope.add(name, for: service, called: service.fullName)
                }
            }
        }
    }

    /// Where something is declared, by its path in the descriptor; counted from 1.
    private static func line(of path: [Int], in file: FileDescriptor) -> Int? {
        file.sourceCodeInfoLocation(path: IndexPath(indexes: path)).flatMap { $0.span.first.map { Int($0) + 1 } }
    }
}
