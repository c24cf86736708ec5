package import Protobuf

/// Files that are all here: built-in contracts, descriptor sets, or what protoc made of `.proto` files.
package struct SchemaFiles: SchemaSource {
    package let name: String
    private let schema: Schema

    /// - Parameter name: for people.
    package init(_ files: [Google_Protobuf_FileDescriptorProto], name: String) throws(ToolFailure) {
        self.name = name
        schema = try Schema(files, from: name)
    }

    /// Serialized `google.protobuf.FileDescriptorSet`s, each with its name; what they import must be among them.
    package init(descriptorSets sets: [(name: String, bytes: [UInt8])]) throws(ToolFailure) {
        var files: [Google_Protobuf_FileDescriptorProto] = []
        for set in sets {
            do {
                files += try Google_Protobuf_FileDescriptorSet(decoding: set.bytes).file
            } catch {
                throw .noSchema("\(set.name) is no descriptor set: \(error)")
            }
        }
        try self.init(files, name: sets.map(\.name).joined(separator: ", "))
    }

    package func serviceNames() async throws -> [String] { schema.serviceNames }

    package func schema(of symbol: String) async throws -> Schema {
        guard schema.symbol(named: symbol) != nil else {
            throw ToolFailure.noSchema("\(name) does not define \(symbol).")
        }
        return schema
    }

    package func everything() async throws -> Schema { schema }
}
