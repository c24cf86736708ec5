import Protobuf

/// The options of definitions as `.proto` source: those of protobuf itself, and the extensions that the files define.
struct OptionText {
    /// For each message that is extended, a message that has the extensions as its fields.
    private let extensions: [String: MessageSchema]
    /// The full name of the extension behind each field of those messages, by message and number.
    private let names: [String: [Int32: String]]

    init(_ schema: Schema) throws(ToolFailure) {
        var reader = ExtensionReader()
        for file in schema.files { reader.read(file) }
        names = reader.names
        var extensions: [String: MessageSchema] = [:]
        if let file = reader.file {
            do {
                let types = try SchemaPool(schema.files + [file])
                for message in file.messageType {
                    extensions[message.extendedName] = types.message(named: ProtoName.join(file.package, message.name))
                }
            } catch {
                throw .noSchema("the extensions of options: \(error)")
            }
        }
        self.extensions = extensions
    }

    /// `name = value` for each option that is set.
    func settings(_ options: (some Message)?, _ fullName: String) -> [String] {
        guard let options else { return [] }
        // What comes from the same bytes as its own type decodes: it cannot fail.
        guard let known = try? DynamicMessage(decoding: options.encoded(), as: type(of: options).schema) else {
            return []
        }
        // What a map looks like inside is no option that one may write.
        var settings = Self.settings(known) { $0.name == "map_entry" ? nil : $0.name }
        // Extensions are unknown fields of the generated types.
        if let schema = extensions[fullName], let names = names[fullName] {
            if let extended = try? DynamicMessage(decoding: known.unknownFields.bytes, as: schema) {
                settings += Self.settings(extended) { field in names[field.number].map { "(\($0))" } }
            }
        }
        return settings
    }

    static func quoted(_ text: String) -> String {
        let schema = MessageSchema("text", fields: [FieldSchema(1, "x", .string)])
        var message = DynamicMessage(schema)
        message[schema.fields[0]] = .string(text)
        return values(of: message, schema.fields[0]).first ?? "\"\""
    }

    private static func settings(_ message: DynamicMessage, _ name: (FieldSchema) -> String?) -> [String] {
        message.schema.fields.flatMap { field in
            name(field).map { name in values(of: message, field).map { "\(name) = \($0)" } } ?? []
        }
    }

    /// The value of a field, or the values, in text format, which is what options are written in.
    private static func values(of message: DynamicMessage, _ field: FieldSchema) -> [String] {
        guard let value = message[field] else { return [] }
        var elements = [DynamicValue.repeated([value])]
        if case .repeated(let several) = value { elements = several.map { .repeated([$0]) } }
        return elements.compactMap { element in
            let isList = field.cardinality == .repeated || field.cardinality == .packed
            guard case .repeated(let one) = element else { return nil }
            var single = DynamicMessage(message.schema)
            single[field] = isList ? element : one[0]
            guard var text = try? single.textFormat() else { return nil }
            text.removeFirst(field.name.count)
            if text.hasPrefix(":") { text.removeFirst() }
            return text.trimmedSpace
        }
    }
}

extension Google_Protobuf_DescriptorProto {
    /// The message of extensions is named after the message that they extend.
    fileprivate var extendedName: String { (name ?? "").split(separator: "__").joined(separator: ".") }
}

extension String {
    fileprivate var trimmedSpace: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

/// Collects the extensions of options in some files.
private struct ExtensionReader {
    private(set) var names: [String: [Int32: String]] = [:]
    private var fields: [String: [Google_Protobuf_FieldDescriptorProto]] = [:]

    mutating func read(_ file: Google_Protobuf_FileDescriptorProto) {
        for field in file.extension { add(field, in: file.package ?? "") }
        for message in file.messageType { read(message, in: file.package ?? "") }
    }

    /// A file that has a message with the extensions of each message as its fields; nil if there are none.
    var file: Google_Protobuf_FileDescriptorProto? {
        guard !fields.isEmpty else { return nil }
        let messages = fields.sorted { $0.key < $1.key }.map { extended, fields in
            Google_Protobuf_DescriptorProto(
                name: extended.split(separator: ".").joined(separator: "__"), field: fields)
        }
        return Google_Protobuf_FileDescriptorProto(
            name: "meridian/options.proto", package: "meridian.options", messageType: messages)
    }

    private mutating func read(_ message: Google_Protobuf_DescriptorProto, in scope: String) {
        let fullName = ProtoName.join(scope, message.name)
        for field in message.extension { add(field, in: fullName) }
        for nested in message.nestedType { read(nested, in: fullName) }
    }

    private mutating func add(_ field: Google_Protobuf_FieldDescriptorProto, in scope: String) {
        let extended = ProtoName.absolute(field.extendee)
        guard extended.hasPrefix("google.protobuf."), extended.hasSuffix("Options"), field.type != .group,
            let number = field.number, names[extended]?[number] == nil
        else { return }
        names[extended, default: [:]][number] = ProtoName.join(scope, field.name)
        var plain = field
        plain.extendee = nil
        plain.name = "extension_\(number)"
        plain.jsonName = nil
        plain.proto3Optional = nil
        plain.oneofIndex = nil
        fields[extended, default: []].append(plain)
    }
}
