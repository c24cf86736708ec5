/// Reads a message in text format.
struct TextFormatParser {
    private let options: TextFormatOptions
    private var scanner: TextFormatScanner

    static func parse(
        _ text: String, as schema: MessageSchema, options: TextFormatOptions
    ) throws(TextFormatError) -> DynamicMessage {
        var parser = TextFormatParser(options: options, scanner: TextFormatScanner(text))
        return try parser.fields(of: schema, until: nil, level: 0)
    }

    // MARK: Fields

    /// - Parameter close: what ends the message; nil for the end of the text.
    private mutating func fields(
        of schema: MessageSchema, until close: Unicode.Scalar?, level: Int
    ) throws(TextFormatError) -> DynamicMessage {
        guard level <= jsonNestingLimit else { throw scanner.error("nested deeper than \(jsonNestingLimit) levels") }
        var message = DynamicMessage(schema)
        var seen: Set<Int32> = []
        while !isAtEnd(close) {
            try field(of: &message, seen: &seen, level: level)
            if !scanner.take(",") { _ = scanner.take(";") }
        }
        return message
    }

    private mutating func isAtEnd(_ close: Unicode.Scalar?) -> Bool {
        guard let close else { return scanner.isAtEnd }
        return scanner.take(close)
    }

    private mutating func field(
        of message: inout DynamicMessage, seen: inout Set<Int32>, level: Int
    ) throws(TextFormatError) {
        if scanner.take("[") {
            let name = try scanner.bracketed()
            if message.schema.fullName == "google.protobuf.Any", name.contains("/") {
                return try content(named: name, of: &message, level: level)
            }
            return try unknownField("[\(name)]", in: message.schema)
        }
        guard let name = scanner.word() ?? scanner.number() else { throw scanner.error("expected the name of a field") }
        guard let field = message.schema.fields.first(where: { $0.name == name }) else {
            return try unknownField(name, in: message.schema)
        }
        switch field.cardinality {
        case .repeated, .packed:
            var elements: [DynamicValue] = []
            if case .repeated(let earlier)? = message[field] { elements = earlier }
            try values(of: field, level: level) { elements.append($0) }
            message[field] = elements.isEmpty ? nil : .repeated(elements)
        case .map(let key):
            var entries: [DynamicValue: DynamicValue] = [:]
            if case .map(let earlier)? = message[field] { entries = earlier }
            try mapEntries(of: field, key: key, level: level) { entries[$0] = $1 }
            message[field] = entries.isEmpty ? nil : .map(entries)
        case .implicit, .optional:
            guard seen.insert(field.number).inserted else { throw scanner.errorAtToken("\(name) is given twice") }
            if let oneof = field.oneof,
                let other = message.schema.fields.first(where: { $0.oneof == oneof && message[$0] != nil })
            {
                throw scanner.errorAtToken("\(other.name) of oneof \(message.schema.oneofs[oneof]) is given, too")
            }
            try colon(before: field)
            let value = try single(field.kind, level: level)
            message[field] = field.cardinality == .implicit && value.isDefault ? nil : value
        }
    }

    /// One value, or a list of them in square brackets.
    private mutating func values(
        of field: FieldSchema, level: Int, _ append: (DynamicValue) -> Void
    ) throws(TextFormatError) {
        try colon(before: field)
        guard scanner.take("[") else { return append(try single(field.kind, level: level)) }
        if scanner.take("]") { return }
        repeat { append(try single(field.kind, level: level)) } while scanner.take(",")
        guard scanner.take("]") else { throw scanner.error("expected ',' or ']'") }
    }

    private mutating func mapEntries(
        of field: FieldSchema, key: MapKeyKind, level: Int, _ append: (DynamicValue, DynamicValue) -> Void
    ) throws(TextFormatError) {
        let keyField = FieldSchema(1, "key", key.kind, .optional)
        let valueField = FieldSchema(2, "value", field.kind, .optional)
        let entry = MessageSchema("the entry of a map", fields: [keyField, valueField])
        let list = FieldSchema(1, field.name, .message { entry }, .repeated)
        try values(of: list, level: level) { value in
            guard case .message(let message) = value else { preconditionFailure("an entry is a message") }
            append(
                message[keyField] ?? DynamicValue(defaultOf: key.kind),
                message[valueField] ?? DynamicValue(defaultOf: field.kind))
        }
    }

    /// Scalars need a colon, messages may have one.
    private mutating func colon(before field: FieldSchema) throws(TextFormatError) {
        if scanner.take(":") { return }
        guard case .message = field.kind else { throw scanner.error("expected ':'") }
    }

    /// `[type.googleapis.com/google.protobuf.Duration] { seconds: 1 }`
    private mutating func content(
        named url: String, of message: inout DynamicMessage, level: Int
    ) throws(TextFormatError) {
        guard let schema = options.types.message(ofTypeURL: url) else {
            throw scanner.errorAtToken("the type \(url) is not known")
        }
        guard message["type_url"] == nil, message["value"] == nil else {
            throw scanner.error("a google.protobuf.Any holds one message")
        }
        _ = scanner.take(":")
        let bytes = try body(of: schema, level: level).encoded()
        for field in message.schema.fields {
            if field.name == "type_url" { message[field] = .string(url) }
            if field.name == "value", !bytes.isEmpty { message[field] = .bytes(bytes) }
        }
    }

    private mutating func body(of schema: MessageSchema, level: Int) throws(TextFormatError) -> DynamicMessage {
        if scanner.take("{") { return try fields(of: schema, until: "}", level: level + 1) }
        if scanner.take("<") { return try fields(of: schema, until: ">", level: level + 1) }
        throw scanner.error("expected '{'")
    }

    // MARK: Values

    private mutating func single(_ kind: FieldKind, level: Int) throws(TextFormatError) -> DynamicValue {
        switch kind {
        case .int32, .sint32, .sfixed32: return .int32(try integer())
        case .int64, .sint64, .sfixed64: return .int64(try integer())
        case .uint32, .fixed32: return .uint32(try integer())
        case .uint64, .fixed64: return .uint64(try integer())
        case .double: return .double(try floating { Double($0) })
        case .float: return .float(try floating { Float($0) })
        case .bool:
            switch scanner.word() ?? scanner.number() {
            case "true", "True", "t", "1": return .bool(true)
            case "false", "False", "f", "0": return .bool(false)
            default: throw scanner.error("expected true or false")
            }
        case .string:
            let bytes = try string()
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw scanner.errorAtToken("the text is not valid UTF-8")
            }
            guard !bytes.contains(0) else { throw scanner.errorAtToken("the text contains a NUL character") }
            return .string(text)
        case .bytes: return .bytes(try string())
        case .enum(let schema):
            guard let name = scanner.word() else { return .enum(try integer()) }
            guard let number = schema().number(named: name) else {
                throw scanner.errorAtToken("\(schema().fullName) has no value \(name)")
            }
            return .enum(number)
        case .message(let schema): return .message(try body(of: schema(), level: level))
        }
    }

    private mutating func string() throws(TextFormatError) -> [UInt8] {
        guard let bytes = try scanner.string() else { throw scanner.error("expected a string in quotes") }
        return bytes
    }

    private mutating func integer<T: FixedWidthInteger>() throws(TextFormatError) -> T {
        let sign = scanner.take("-") ? "-" : ""
        guard let text = scanner.number() else { throw scanner.error("expected an integer") }
        let lower = text.lowercased()
        let value =
            lower.hasPrefix("0x")
            ? T(sign + lower.dropFirst(2), radix: 16)
            : lower.hasPrefix("0") && lower.count > 1 ? T(sign + lower.dropFirst(), radix: 8) : T(sign + lower)
        guard let value else {
            throw scanner.errorAtToken("\(sign)\(text) is not an integer from \(T.min) to \(T.max)")
        }
        return value
    }

    private mutating func floating<T: BinaryFloatingPoint>(
        _ convert: (String) -> T?
    ) throws(TextFormatError) -> T {
        let isNegative = scanner.take("-")
        let value: T?
        if let word = scanner.word() {
            switch word.lowercased() {
            case "inf", "infinity": value = .infinity
            case "nan": value = .nan
            default: throw scanner.errorAtToken("\(word) is not a number")
            }
        } else if let text = scanner.number() {
            let isFloat = text.last == "f" || text.last == "F"
            let digits = isFloat && !text.lowercased().hasPrefix("0x") ? String(text.dropLast()) : text
            let isDecimal = digits.allSatisfy { $0.isNumber || ".eE+-".contains($0) }
            value = isDecimal ? convert(digits) : nil
        } else {
            value = nil
        }
        guard let value else { throw scanner.error("expected a number") }
        return isNegative ? -value : value
    }

    // MARK: Unknown fields

    private mutating func unknownField(_ name: String, in schema: MessageSchema) throws(TextFormatError) {
        guard options.ignoresUnknownFields else {
            throw scanner.errorAtToken("\(schema.fullName) has no field \(name)")
        }
        _ = scanner.take(":")
        try skipValue(level: 0)
    }

    private mutating func skipValue(level: Int) throws(TextFormatError) {
        guard level < jsonNestingLimit else { throw scanner.error("nested deeper than \(jsonNestingLimit) levels") }
        if scanner.take("[") {
            if scanner.take("]") { return }
            repeat { try skipValue(level: level + 1) } while scanner.take(",")
            guard scanner.take("]") else { throw scanner.error("expected ',' or ']'") }
        } else if scanner.take("{") {
            try skipFields(until: "}", level: level + 1)
        } else if scanner.take("<") {
            try skipFields(until: ">", level: level + 1)
        } else if try scanner.string() == nil {
            _ = scanner.take("-")
            guard scanner.word() ?? scanner.number() != nil else { throw scanner.error("expected a value") }
        }
    }

    private mutating func skipFields(until close: Unicode.Scalar, level: Int) throws(TextFormatError) {
        while !scanner.take(close) {
            if scanner.take("[") {
                _ = try scanner.bracketed()
            } else if scanner.word() ?? scanner.number() == nil {
                throw scanner.error("expected the name of a field")
            }
            _ = scanner.take(":")
            try skipValue(level: level)
            if !scanner.take(",") { _ = scanner.take(";") }
        }
    }
}
