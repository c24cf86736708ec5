/// Makes JSON from messages.
struct JSONPrinter {
    let options: JSONOptions

    func value(of message: DynamicMessage, level: Int) throws(JSONError) -> JSONValue {
        // Messages inside an Any have a limit of their own when they are decoded; this one spans them all.
        guard level <= jsonNestingLimit else { throw JSONError("nested deeper than \(jsonNestingLimit) levels") }
        if let type = WellKnownType(message.schema.fullName) { return try wellKnown(type, message, level: level) }
        return .object(try members(of: message, level: level))
    }

    func members(of message: DynamicMessage, level: Int) throws(JSONError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        for field in message.schema.fields {
            let name = options.usesProtoNames ? field.name : field.jsonName
            do throws(JSONError) {
                if let value = message[field] {
                    members.append(.init(name, try json(of: value, field, level: level)))
                } else if options.includesDefaults, let value = emptyValue(of: field) {
                    members.append(.init(name, value))
                }
            } catch {
                throw error.inside(name)
            }
        }
        return members
    }

    private func json(of value: DynamicValue, _ field: FieldSchema, level: Int) throws(JSONError) -> JSONValue {
        switch value {
        case .repeated(let elements):
            var array: [JSONValue] = []
            for (index, element) in elements.enumerated() {
                do throws(JSONError) {
                    array.append(try single(element, field.kind, level: level))
                } catch {
                    throw error.inside("[\(index)]")
                }
            }
            return .array(array)
        case .map(let entries):
            var members: [JSONValue.Member] = []
            for (key, value) in entries.sorted(by: { DynamicValue.keyPrecedes($0.key, $1.key) }) {
                let name = Self.keyText(key)
                do throws(JSONError) {
                    members.append(.init(name, try single(value, field.kind, level: level + 1)))
                } catch {
                    throw error.inside("[\(JSONValue.string(name).text())]")
                }
            }
            return .object(members)
        default: return try single(value, field.kind, level: level)
        }
    }

    /// What `includesDefaults` writes for a field that is not set; nil if its absence means something.
    private func emptyValue(of field: FieldSchema) -> JSONValue? {
        switch (field.cardinality, field.kind) {
        case (.repeated, _), (.packed, _): .array([])
        case (.map, _): .object([])
        case (.optional, _), (.implicit, .message): nil
        case (.implicit, let kind): try? single(DynamicValue(defaultOf: kind), kind, level: 0)
        }
    }

    func single(_ value: DynamicValue, _ kind: FieldKind, level: Int) throws(JSONError) -> JSONValue {
        switch value {
        case .double(let value): return JSONNumber.json(value)
        case .float(let value): return JSONNumber.json(value)
        case .int32(let value): return .number("\(value)")
        case .uint32(let value): return .number("\(value)")
        case .int64(let value): return .string("\(value)")
        case .uint64(let value): return .string("\(value)")
        case .bool(let value): return .bool(value)
        case .string(let value): return .string(value)
        case .bytes(let value): return .string(Base64.encode(value))
        case .enum(let number):
            guard case .enum(let schema) = kind else { return .number("\(number)") }
            // A number that is not null's would come back as null's.
            if number == 0, schema().fullName == "google.protobuf.NullValue" { return .null }
            guard !options.writesEnumsAsNumbers, let name = schema().name(of: number) else {
                return .number("\(number)")
            }
            return .string(name)
        case .message(let message): return try self.value(of: message, level: level + 1)
        case .repeated, .map: preconditionFailure("a single value is needed here")
        }
    }

    private static func keyText(_ key: DynamicValue) -> String {
        switch key {
        case .int32(let value): "\(value)"
        case .int64(let value): "\(value)"
        case .uint32(let value): "\(value)"
        case .uint64(let value): "\(value)"
        case .bool(let value): "\(value)"
        case .string(let value): value
        default: preconditionFailure("not the kind of a key")
        }
    }
}
