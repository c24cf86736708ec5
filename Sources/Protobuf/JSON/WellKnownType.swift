/// The messages that have a JSON form of their own.
enum WellKnownType: Equatable {
    case any, timestamp, duration, fieldMask, `struct`, value, listValue
    /// `google.protobuf.Int64Value` and the like: a message around one field, number 1.
    case wrapper

    init?(_ fullName: String) {
        guard fullName.hasPrefix("google.protobuf.") else { return nil }
        switch fullName.dropFirst("google.protobuf.".count) {
        case "Any": self = .any
        case "Timestamp": self = .timestamp
        case "Duration": self = .duration
        case "FieldMask": self = .fieldMask
        case "Struct": self = .struct
        case "Value": self = .value
        case "ListValue": self = .listValue
        case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue",
            "StringValue", "BytesValue":
            self = .wrapper
        default: return nil
        }
    }
}

extension DynamicMessage {
    /// The field with this number, which a well-known type must have.
    func require(_ number: Int32) throws(JSONError) -> FieldSchema {
        guard let field = schema.field(number: number) else {
            throw JSONError("\(schema.fullName) is not the well-known type: it has no field \(number)")
        }
        return field
    }

    fileprivate func int64(_ number: Int32) throws(JSONError) -> Int64 {
        switch self[try require(number)] {
        case nil: return 0
        case .int64(let value): return value
        case .int32(let value): return Int64(value)
        default: throw JSONError("\(schema.fullName) is not the well-known type")
        }
    }

    fileprivate func strings(_ number: Int32) throws(JSONError) -> [String] {
        guard case .repeated(let elements)? = self[try require(number)] else { return [] }
        return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}

extension JSONPrinter {
    func wellKnown(_ type: WellKnownType, _ message: DynamicMessage, level: Int) throws(JSONError) -> JSONValue {
        switch type {
        case .any: return try any(message, level: level)
        case .timestamp:
            let (seconds, nanos) = (try message.int64(1), try message.int64(2))
            guard let text = RFC3339.text(seconds: seconds, nanos: nanos) else {
                throw JSONError("the timestamp is out of range: \(seconds) s and \(nanos) ns")
            }
            return .string(text)
        case .duration:
            let (seconds, nanos) = (try message.int64(1), try message.int64(2))
            guard let text = DurationText.text(seconds: seconds, nanos: nanos) else {
                throw JSONError("the duration is out of range: \(seconds) s and \(nanos) ns")
            }
            return .string(text)
        case .fieldMask:
            var paths: [String] = []
            for path in try message.strings(1) {
                guard let camel = FieldMaskText.camelCase(path) else {
                    throw JSONError("the path '\(path)' has no form in JSON")
                }
                paths.append(camel)
            }
            return .string(paths.joined(separator: ","))
        case .struct:
            let field = try message.require(1)
            guard case .map(let entries)? = message[field] else { return .object([]) }
            var members: [JSONValue.Member] = []
            for (key, value) in entries.sorted(by: { DynamicValue.keyPrecedes($0.key, $1.key) }) {
                guard case .string(let name) = key else { throw JSONError("not a google.protobuf.Struct") }
                do throws(JSONError) {
                    members.append(.init(name, try single(value, field.kind, level: level + 1)))
                } catch {
                    throw error.inside("[\(JSONValue.string(name).text())]")
                }
            }
            return .object(members)
        case .listValue:
            let field = try message.require(1)
            guard case .repeated(let elements)? = message[field] else { return .array([]) }
            var array: [JSONValue] = []
            for element in elements { array.append(try single(element, field.kind, level: level)) }
            return .array(array)
        case .value:
            for field in message.schema.fields {
                guard let value = message[field] else { continue }
                if case .double(let number) = value, !number.isFinite {
                    throw JSONError("\(number) has no form in JSON")
                }
                return field.number == 1 ? .null : try single(value, field.kind, level: level)
            }
            throw JSONError("a google.protobuf.Value must have a kind")
        case .wrapper:
            let field = try message.require(1)
            return try single(message[field] ?? DynamicValue(defaultOf: field.kind), field.kind, level: level)
        }
    }

    private func any(_ message: DynamicMessage, level: Int) throws(JSONError) -> JSONValue {
        guard case .string(let url)? = message[try message.require(1)] else {
            if message[try message.require(2)] == nil { return .object([]) }
            throw JSONError("a google.protobuf.Any with a value must have a type")
        }
        var bytes: [UInt8] = []
        if case .bytes(let value)? = message[try message.require(2)] { bytes = value }
        guard let schema = options.types.message(ofTypeURL: url) else {
            guard options.writesUnknownAnyAsBase64 else { throw JSONError("the type \(url) is not known") }
            return .object([.init("@type", .string(url)), .init("@value", .string(Base64.encode(bytes)))])
        }
        let content: DynamicMessage
        do {
            content = try DynamicMessage(decoding: bytes, as: schema)
        } catch {
            throw JSONError(error.description)
        }
        let head = JSONValue.Member("@type", .string(url))
        if WellKnownType(schema.fullName) != nil {
            return .object([head, .init("value", try value(of: content, level: level + 1))])
        }
        return .object([head] + (try members(of: content, level: level + 1)))
    }
}

extension JSONReader {
    func wellKnown(
        _ type: WellKnownType, _ json: JSONValue, as schema: MessageSchema, level: Int
    ) throws(JSONError) -> DynamicMessage {
        var message = DynamicMessage(schema)
        switch type {
        case .any: try readAny(json, into: &message, level: level)
        case .timestamp:
            guard case .string(let text) = json, let (seconds, nanos) = RFC3339.parse(text) else {
                throw JSONError("expected a time such as \"2024-02-29T12:00:00.5Z\", found \(json.text())")
            }
            if seconds != 0 { message[try message.require(1)] = .int64(seconds) }
            if nanos != 0 { message[try message.require(2)] = .int32(nanos) }
        case .duration:
            guard case .string(let text) = json, let (seconds, nanos) = DurationText.parse(text) else {
                throw JSONError("expected a duration such as \"1.5s\", found \(json.text())")
            }
            if seconds != 0 { message[try message.require(1)] = .int64(seconds) }
            if nanos != 0 { message[try message.require(2)] = .int32(nanos) }
        case .fieldMask:
            guard case .string(let text) = json else {
                throw JSONError("expected paths with commas between them, found \(json.kindName)")
            }
            var paths: [DynamicValue] = []
            for path in text.split(separator: ",") {
                guard let snake = FieldMaskText.snakeCase(String(path)) else {
                    throw JSONError("'\(path)' is not a path in camelCase")
                }
                paths.append(.string(snake))
            }
            if !paths.isEmpty { message[try message.require(1)] = .repeated(paths) }
        case .struct:
            guard case .object(let members) = json else {
                throw JSONError("expected an object, found \(json.kindName)")
            }
            let field = try message.require(1)
            var entries: [DynamicValue: DynamicValue] = [:]
            for member in members {
                do throws(JSONError) {
                    guard !member.name.utf8.contains(0) else { throw JSONError("the text contains a NUL character") }
                    entries[.string(member.name)] = try single(member.value, field.kind, level: level + 1)
                } catch {
                    throw error.inside("[\(JSONValue.string(member.name).text())]")
                }
            }
            if !entries.isEmpty { message[field] = .map(entries) }
        case .listValue:
            guard case .array(let elements) = json else {
                throw JSONError("expected an array, found \(json.kindName)")
            }
            let field = try message.require(1)
            var values: [DynamicValue] = []
            for (index, element) in elements.enumerated() {
                do throws(JSONError) {
                    values.append(try single(element, field.kind, level: level))
                } catch {
                    throw error.inside("[\(index)]")
                }
            }
            if !values.isEmpty { message[field] = .repeated(values) }
        case .value:
            let number: Int32 =
                switch json {
                case .null: 1
                case .number: 2
                case .string: 3
                case .bool: 4
                case .object: 5
                case .array: 6
                }
            let field = try message.require(number)
            message[field] = try single(json, field.kind, level: level)
        case .wrapper:
            let field = try message.require(1)
            let value = try single(json, field.kind, level: level)
            if !value.isDefault { message[field] = value }
        }
        return message
    }

    private func readAny(_ json: JSONValue, into message: inout DynamicMessage, level: Int) throws(JSONError) {
        guard case .object(let members) = json else {
            throw JSONError("expected an object, found \(json.kindName)")
        }
        if members.isEmpty { return }
        guard case .string(let url)? = members.first(where: { $0.name == "@type" })?.value else {
            throw JSONError("a google.protobuf.Any needs \"@type\"")
        }
        guard let schema = options.types.message(ofTypeURL: url) else {
            throw JSONError(path: "@type", "the type \(url) is not known")
        }
        let content: DynamicMessage
        // Some writers count Empty among the types with a form of their own, most do not.
        let isEmptyInValue =
            schema.fullName == "google.protobuf.Empty" && members.contains { $0.name == "value" }
        if WellKnownType(schema.fullName) != nil || isEmptyInValue {
            guard members.count == 2, let value = members.first(where: { $0.name == "value" })?.value else {
                throw JSONError("a google.protobuf.Any of this type has \"@type\" and \"value\"")
            }
            content = try self.message(value, as: schema, level: level + 1)
        } else {
            content = try ordinary(json, as: schema, level: level + 1, ignoring: "@type")
        }
        message[try message.require(1)] = .string(url)
        let bytes = content.encoded()
        if !bytes.isEmpty { message[try message.require(2)] = .bytes(bytes) }
    }
}

/// Paths of a FieldMask.
enum FieldMaskText {
    /// `limit_price.units` as `limitPrice.units`; nil if it could not be read back.
    static func camelCase(_ path: String) -> String? {
        var result: [UInt8] = []
        var capitalise = false
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): return nil
            case UInt8(ascii: "_"):
                if capitalise { return nil }
                capitalise = true
            case UInt8(ascii: "a")...UInt8(ascii: "z") where capitalise:
                result.append(byte - 32)
                capitalise = false
            default:
                if capitalise { return nil }
                result.append(byte)
            }
        }
        return capitalise ? nil : String(decoding: result, as: UTF8.self)
    }

    /// `limitPrice.units` as `limit_price.units`; nil if it has an underscore.
    static func snakeCase(_ path: String) -> String? {
        var result: [UInt8] = []
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "_"), 0: return nil
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): result += [UInt8(ascii: "_"), byte + 32]
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
