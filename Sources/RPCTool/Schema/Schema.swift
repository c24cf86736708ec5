package import Protobuf

/// What some `.proto` files say: the files, and the types and services in them.
package struct Schema: Sendable {
    /// Each behind the files that it imports; each name once.
    package let files: [Google_Protobuf_FileDescriptorProto]
    /// The types of the files, and the well-known ones for what an `Any` holds.
    package let types: SchemaPool

    /// - Parameters:
    ///   - files: in any order; of two with one name the first counts.
    ///   - source: for errors.
    /// Throws `ToolFailure.noSchema` when a file or a type is missing.
    package init(_ files: [Google_Protobuf_FileDescriptorProto], from source: String) throws(ToolFailure) {
        let sorted = try Self.importsFirst(files, from: source)
        do {
            var types = try SchemaPool(sorted)
            types.add(.wellKnown)
            self.types = types
        } catch {
            throw .noSchema("\(source): \(error)")
        }
        self.files = sorted
    }

    /// The files of several schemas.
    package init(merging schemas: [Schema], from source: String) throws(ToolFailure) {
        try self.init(schemas.flatMap(\.files), from: source)
    }

    /// The full names of the services, sorted.
    package var serviceNames: [String] {
        files.flatMap { file in file.service.map { ProtoName.join(file.package, $0.name) } }.sorted()
    }

    /// All methods as `package.Service/Method`, by service.
    package var methodNames: [String] {
        types.services.filter { serviceNames.contains($0.fullName) }
            .flatMap { service in service.methods.map { "\(service.fullName)/\($0.name)" } }
    }

    package func method(named name: String, of service: String) -> CallableMethod? {
        types.service(named: service)?.method(named: name).map { CallableMethod(service: service, schema: $0) }
    }

    /// A `google.protobuf.FileDescriptorSet` of all files, as protoc writes it.
    package var descriptorSet: [UInt8] { Google_Protobuf_FileDescriptorSet(file: files).encoded() }

    private static func importsFirst(
        _ files: [Google_Protobuf_FileDescriptorProto], from source: String
    ) throws(ToolFailure) -> [Google_Protobuf_FileDescriptorProto] {
        let byName = Dictionary(files.map { ($0.name ?? "", $0) }) { first, _ in first }
        var sorted: [Google_Protobuf_FileDescriptorProto] = []
        var done: Set<String> = []
        for file in files {
            // Each entry is a file and how many of its imports were looked at: no recursion, so no depth to fear.
            var pending = [(file: file, next: 0)]
            var open: Set<String> = [file.name ?? ""]
            while let (file, next) = pending.last {
                let name = file.name ?? ""
                if done.contains(name) || next == file.dependency.count {
                    pending.removeLast()
                    open.remove(name)
                    if done.insert(name).inserted { sorted.append(file) }
                    continue
                }
                pending[pending.count - 1].next += 1
                let needed = file.dependency[next]
                guard let imported = byName[needed] else {
                    throw .noSchema("\(source): \(name) imports \(needed), which is not there.")
                }
                guard !done.contains(needed) else { continue }
                guard open.insert(needed).inserted else {
                    throw .noSchema("\(source): \(needed) imports itself through \(name).")
                }
                pending.append((imported, 0))
            }
        }
        return sorted
    }
}

/// A method that can be called.
package struct CallableMethod: Sendable {
    /// The full name.
    package let service: String
    package let schema: MethodSchema

    package init(service: String, schema: MethodSchema) {
        self.service = service
        self.schema = schema
    }

    /// As on the wire.
    package var path: String { "/\(service)/\(schema.name)" }
}

/// Names in descriptors.
enum ProtoName {
    static func join(_ scope: String?, _ name: String?) -> String {
        guard let scope, !scope.isEmpty else { return name ?? "" }
        return scope + "." + (name ?? "")
    }

    /// Without the leading dot that protoc writes.
    static func absolute(_ name: String?) -> String {
        guard let name else { return "" }
        return name.hasPrefix(".") ? String(name.dropFirst()) : name
    }
}
