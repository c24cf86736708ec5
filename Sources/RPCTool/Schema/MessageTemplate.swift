package import Protobuf

extension MessageSchema {
    /// JSON with every field of the message, to be filled in: one element in each list and map, the first member of each
    /// oneof. A message inside itself is left empty, and so is what comes after the first thousand fields.
    package var template: JSONValue {
        var writer = TemplateWriter()
        return writer.template(self)
    }
}

private struct TemplateWriter {
    private var outer: [String] = []
    /// Types may be used again and again on every level, so that a few of them fill any memory.
    private var fieldsLeft = 1000

    mutating func template(_ schema: MessageSchema) -> JSONValue {
        if let text = Self.special(schema) { return text }
        if schema.isWrapper { return value(of: schema.fields[0].kind) }
        guard !outer.contains(schema.fullName) else { return .object([]) }
        outer.append(schema.fullName)
        defer { outer.removeLast() }
        var oneofs: Set<Int> = []
        var members: [JSONValue.Member] = []
        for field in schema.fields where fieldsLeft > 0 {
            if let oneof = field.oneof, !oneofs.insert(oneof).inserted { continue }
            fieldsLeft -= 1
            let value = value(of: field.kind)
            switch field.cardinality {
            case .repeated, .packed: members.append(.init(field.jsonName, .array([value])))
            case .map(let key): members.append(.init(field.jsonName, .object([.init(Self.key(key), value)])))
            case .implicit, .optional: members.append(.init(field.jsonName, value))
            }
        }
        return .object(members)
    }

    private mutating func value(of kind: FieldKind) -> JSONValue {
        switch kind {
        case .double, .float, .int32, .uint32, .sint32, .fixed32, .sfixed32: return .number("0")
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: return .string("0")
        case .bool: return .bool(false)
        case .string, .bytes: return .string("")
        case .enum(let schema):
            if schema().fullName == "google.protobuf.NullValue" { return .null }
            return schema().values.first.map { .string($0.name) } ?? .number("0")
        case .message(let schema): return template(schema())
        }
    }

    /// The messages that have a JSON form of their own.
    private static func special(_ schema: MessageSchema) -> JSONValue? {
        switch schema.fullName {
        case "google.protobuf.Timestamp": .string("1970-01-01T00:00:00Z")
        case "google.protobuf.Duration": .string("0s")
        case "google.protobuf.FieldMask": .string("")
        case "google.protobuf.Any":
            .object([
                .init("@type", .string("type.googleapis.com/google.protobuf.Empty")), .init("value", .object([])),
            ])
        case "google.protobuf.Value": .null
        case "google.protobuf.Struct": .object([])
        case "google.protobuf.ListValue": .array([])
        default: nil
        }
    }

    private static func key(_ kind: MapKeyKind) -> String {
        switch kind {
        case .string: ""
        case .bool: "false"
        default: "0"
        }
    }
}

extension MessageSchema {
    fileprivate var isWrapper: Bool {
        fullName.hasPrefix("google.protobuf.") && fullName.hasSuffix("Value") && fields.count == 1
    }
}
