import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The descriptors that a server needs to tell what its services are: a file and all that it imports.
///
/// Each generated file with services carries all of them, since imports that serve options only have no Swift of their
/// own to find them in.
struct FileDescriptors {
    /// The constant that holds them.
    static let constant = "descriptorFiles"

    private let files: [FileDescriptor]

    init(of file: FileDescriptor) {
        var files: [FileDescriptor] = []
        var seen: Set<String> = []
        func add(_ file: FileDescriptor) {
            guard seen.insert(file.name).inserted else { return }
            file.dependencies.forEach(add)
            files.append(file)
        }
        add(file)
        self.files = files
    }

    func write(to writer: inout SourceWriter) throws {
        writer.comment("The descriptors of \(files.map(\.name).joined(separator: ", ")).")
        writer.line("private let \(Self.constant): [String] = [")
        try writer.indented { writer in
            for file in files {
                // Comments stay behind: they are most of a descriptor.
                writer.text(try file.extractProto().serializedData().base64EncodedString(), files.count > 1 ? "," : "")
            }
        }
        writer.line("]")
    }
}
