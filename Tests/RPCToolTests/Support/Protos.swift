import Foundation
import Protobuf
import TestSupport

@testable import RPCTool

/// The `.proto` files of these tests, as protoc reads them.
enum Protos {
    static let folder = URL(filePath: "\(Repository.path)/Protos").resolvingSymlinksInPath().path
    static let names = ["test/tool/tool.proto", "test/tool/old.proto"]

    static let compiled = Result {
        try ProtoCompiler().compile(names, importPaths: [folder, "/usr/include"])
    }

    static func schema() async throws -> Schema { try await compiled.get().everything() }
}
