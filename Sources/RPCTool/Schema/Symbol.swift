package import Protobuf

/// Something that has a full name in a `.proto` file.
package struct Symbol: Sendable {
    package enum Definition: Sendable {
        case service(Google_Protobuf_ServiceDescriptorProto)
        case method(Google_Protobuf_MethodDescriptorProto)
        case message(Google_Protobuf_DescriptorProto)
        case enumeration(Google_Protobuf_EnumDescriptorProto)
        case field(Google_Protobuf_FieldDescriptorProto, in: Google_Protobuf_DescriptorProto)
        case oneof(Int, in: Google_Protobuf_DescriptorProto)
        case value(Google_Protobuf_EnumValueDescriptorProto, of: String)
        case `extension`(Google_Protobuf_FieldDescriptorProto)
    }

    package let fullName: String
    package let definition: Definition
    package let file: Google_Protobuf_FileDescriptorProto
    /// Where it stands in the file, as `SourceCodeInfo` counts: numbers of fields and indices in turn.
    let path: [Int32]

    /// The message that one would fill in: the message itself, or the request of a method. Nil for others.
    package var messageName: String? {
        switch definition {
        case .message: fullName
        case .method(let method): ProtoName.absolute(method.inputType)
        case .service, .enumeration, .field, .oneof, .value, .extension: nil
        }
    }

    /// "a message".
    package var kind: String {
        switch definition {
        case .service: "a service"
        case .method: "a method"
        case .message: "a message"
        case .enumeration: "an enum"
        case .field: "a field"
        case .oneof: "a oneof"
        case .value(_, let owner): "a value of \(owner)"
        case .extension: "an extension"
        }
    }
}

extension Schema {
    /// Finds a full name, with or without a leading dot. A method may be written with a slash: `package.Service/Method`.
    package func symbol(named name: String) -> Symbol? {
        let wanted = ProtoName.absolute(name).split(separator: "/").joined(separator: ".")
        for file in files {
            var search = SymbolSearch(wanted: wanted, file: file)
            if let found = search.run() { return found }
        }
        return nil
    }
}

extension Schema {
    /// Whether one of the files defines a full name.
    static func defines(_ name: String, in files: [Google_Protobuf_FileDescriptorProto]) -> Bool {
        files.contains { file in
            var search = SymbolSearch(wanted: name, file: file)
            return search.run() != nil
        }
    }
}

/// Looks for one name in one file. The numbers are those of the fields in descriptor.proto.
private struct SymbolSearch {
    let wanted: String
    let file: Google_Protobuf_FileDescriptorProto
    private var found: Symbol?

    init(wanted: String, file: Google_Protobuf_FileDescriptorProto) {
        self.wanted = wanted
        self.file = file
    }

    mutating func run() -> Symbol? {
        let package = file.package ?? ""
        guard package.isEmpty || wanted.hasPrefix(package + ".") else { return nil }
        for (index, message) in file.messageType.enumerated() { visit(message, in: package, [4, Int32(index)]) }
        for (index, enumeration) in file.enumType.enumerated() { visit(enumeration, in: package, [5, Int32(index)]) }
        for (index, service) in file.service.enumerated() {
            let name = check(service.name, in: package, [6, Int32(index)], .service(service))
            for (number, method) in service.method.enumerated() {
                check(method.name, in: name, [6, Int32(index), 2, Int32(number)], .method(method))
            }
        }
        for (index, field) in file.extension.enumerated() {
            check(field.name, in: package, [7, Int32(index)], .extension(field))
        }
        return found
    }

    private mutating func visit(_ message: Google_Protobuf_DescriptorProto, in scope: String, _ path: [Int32]) {
        let name = check(message.name, in: scope, path, .message(message))
        guard wanted.hasPrefix(name + ".") else { return }
        for (index, field) in message.field.enumerated() {
            check(field.name, in: name, path + [2, Int32(index)], .field(field, in: message))
        }
        for (index, nested) in message.nestedType.enumerated() { visit(nested, in: name, path + [3, Int32(index)]) }
        for (index, enumeration) in message.enumType.enumerated() {
            visit(enumeration, in: name, path + [4, Int32(index)])
        }
        for (index, field) in message.extension.enumerated() {
            check(field.name, in: name, path + [6, Int32(index)], .extension(field))
        }
        for (index, oneof) in message.oneofDecl.enumerated() {
            check(oneof.name, in: name, path + [8, Int32(index)], .oneof(index, in: message))
        }
    }

    /// Values are named beside their enum, not inside it; people write both.
    private mutating func visit(_ enumeration: Google_Protobuf_EnumDescriptorProto, in scope: String, _ path: [Int32]) {
        let name = check(enumeration.name, in: scope, path, .enumeration(enumeration))
        for (index, value) in enumeration.value.enumerated() {
            let path = path + [2, Int32(index)]
            check(value.name, in: scope, path, .value(value, of: name))
            check(value.name, in: name, path, .value(value, of: name))
        }
    }

    @discardableResult
    private mutating func check(
        _ name: String?, in scope: String, _ path: [Int32], _ definition: Symbol.Definition
    ) -> String {
        let fullName = ProtoName.join(scope, name)
        if fullName == wanted, found == nil {
            found = Symbol(fullName: fullName, definition: definition, file: file, path: path)
        }
        return fullName
    }
}
