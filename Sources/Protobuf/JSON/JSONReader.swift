/// Makes messages from JSON.
struct JSONReader {
    let options: JSONOptions

    func message(_ json: JSONValue, as schema: MessageSchema, level: Int) throws(JSONError) -> DynamicMessage {
        guard level <= jsonNestingLimit else { throw JSONError("nested deeper than \(jsonNestingLimit) levels") }
        if let type = WellKnownType(schema.fullName) { return try wellKnown(type, json, as: schema, level: level) }
        return try ordinary(json, as: schema, level: level)
    }

    /// A message by its fields. `Any` uses it for the members beside "@type".
    func ordinary(
        _ json: JSONValue, as schema: MessageSchema, level: Int, ignoring ignored: String? = nil
    ) throws(JSONError) -> DynamicMessage {
        guard case .object(let members) = json else {
            throw JSONError("expected an object, found \(json.kindName)")
        }
        var message = DynamicMessage(schema)
        var seen: Set<Int32> = []
        for member in members where member.name != ignored {
            guard let field = schema.field(named: member.name) else {
                if options.ignoresUnknownFields { continue }
                throw JSONError(path: member.name, "\(schema.fullName) has no such field")
            }
            let isFirst = seen.insert(field.number).inserted
            if !isFirst, options.duplicates == .refuse { throw JSONError(path: member.name, "given twice") }
            message[field] = nil
            do throws(JSONError) {
                guard let value = try value(member.value, of: field, level: level) else { continue }
                if let oneof = field.oneof, schema.fields.contains(where: { $0.oneof == oneof && message[$0] != nil }) {
                    throw JSONError("another member of oneof \(schema.oneofs[oneof]) is given, too")
                }
                message[field] = value
            } catch {
                throw error.inside(member.name)
            }
        }
        return message
    }

    /// The value of a field, nil if it stays unset.
    private func value(_ json: JSONValue, of field: FieldSchema, level: Int) throws(JSONError) -> DynamicValue? {
        if json == .null, !acceptsNull(field) { return nil }
        switch field.cardinality {
        case .repeated, .packed:
            guard case .array(let elements) = json else {
                throw JSONError("expected an array, found \(json.kindName)")
            }
            var values: [DynamicValue] = []
            for (index, element) in elements.enumerated() where !isSkipped(element, field.kind) {
                do throws(JSONError) {
                    values.append(try single(element, field.kind, level: level))
                } catch {
                    throw error.inside("[\(index)]")
                }
            }
            return values.isEmpty ? nil : .repeated(values)
        case .map(let key):
            guard case .object(let members) = json else {
                throw JSONError("expected an object, found \(json.kindName)")
            }
            var entries: [DynamicValue: DynamicValue] = [:]
            for member in members where !isSkipped(member.value, field.kind) {
                do throws(JSONError) {
                    let key = try self.key(member.name, key)
                    // Each entry is a message of its own.
                    let value = try single(member.value, field.kind, level: level + 1)
                    let isFirst = entries.updateValue(value, forKey: key) == nil
                    guard isFirst || options.duplicates == .takeLast else { throw JSONError("given twice") }
                } catch {
                    throw error.inside("[\(JSONValue.string(member.name).text())]")
                }
            }
            return entries.isEmpty ? nil : .map(entries)
        case .implicit, .optional:
            if isSkipped(json, field.kind) { return nil }
            let value = try single(json, field.kind, level: level)
            return value.isDefault && field.cardinality == .implicit ? nil : value
        }
    }

    /// Whether this is the name of an enum value that the schema does not know, and such are to be skipped.
    private func isSkipped(_ json: JSONValue, _ kind: FieldKind) -> Bool {
        guard options.ignoresUnknownFields, case .enum(let schema) = kind, case .string(let name) = json else {
            return false
        }
        return schema().number(named: name) == nil
    }

    /// Null means absent, but for the two types that have a null of their own.
    private func acceptsNull(_ field: FieldSchema) -> Bool {
        switch (field.cardinality, field.kind) {
        case (.implicit, .message(let schema)), (.optional, .message(let schema)):
            schema().fullName == "google.protobuf.Value"
        case (.implicit, .enum(let schema)), (.optional, .enum(let schema)):
            schema().fullName == "google.protobuf.NullValue"
        default: false
        }
    }

    private func key(_ name: String, _ kind: MapKeyKind) throws(JSONError) -> DynamicValue {
        if kind == .bool {
            switch name {
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: throw JSONError("expected true or false as the key")
            }
        }
        return try single(.string(name), kind.kind, level: 0)
    }

    func single(_ json: JSONValue, _ kind: FieldKind, level: Int) throws(JSONError) -> DynamicValue {
        switch kind {
        case .double: return .double(try JSONNumber.double(json))
        case .float: return .float(try JSONNumber.float(json))
        case .int32, .sint32, .sfixed32: return .int32(try JSONNumber.integer(json))
        case .int64, .sint64, .sfixed64: return .int64(try JSONNumber.integer(json))
        case .uint32, .fixed32: return .uint32(try JSONNumber.integer(json))
        case .uint64, .fixed64: return .uint64(try JSONNumber.integer(json))
        case .bool:
            guard case .bool(let value) = json else {
                throw JSONError("expected true or false, found \(json.kindName)")
            }
            return .bool(value)
        case .string:
            guard case .string(let text) = json else { throw JSONError("expected a string, found \(json.kindName)") }
            guard !text.utf8.contains(0) else { throw JSONError("the text contains a NUL character") }
            return .string(text)
        case .bytes:
            guard case .string(let text) = json else { throw JSONError("expected base64, found \(json.kindName)") }
            guard let bytes = Base64.decode(text) else { throw JSONError("the text is not base64") }
            return .bytes(bytes)
        case .enum(let schema): return .enum(try enumNumber(json, schema()))
        case .message(let schema): return .message(try message(json, as: schema(), level: level + 1))
        }
    }

    private func enumNumber(_ json: JSONValue, _ schema: EnumSchema) throws(JSONError) -> Int32 {
        switch json {
        case .null where schema.fullName == "google.protobuf.NullValue": return 0
        case .string(let name):
            guard let number = schema.number(named: name) else {
                throw JSONError("\(schema.fullName) has no value \(name)")
            }
            return number
        case .number: return try JSONNumber.integer(json)
        default: throw JSONError("expected the name of a value of \(schema.fullName), found \(json.kindName)")
        }
    }
}
