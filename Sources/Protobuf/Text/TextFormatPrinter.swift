/// Writes messages in text format: one field per line, two spaces per level.
struct TextFormatPrinter {
    let options: TextFormatOptions
    private(set) var output = ""
    private var level = 0

    init(options: TextFormatOptions) { self.options = options }

    mutating func write(_ message: DynamicMessage) throws(TextFormatError) {
        if message.schema.fullName == "google.protobuf.Any", try writeAny(message) { return }
        for field in message.schema.fields {
            switch message[field] {
            case .repeated(let elements)?:
                for element in elements { try write(element, of: field) }
            case .map(let entries)?:
                guard case .map(let key) = field.cardinality else { preconditionFailure("only maps hold entries") }
                for (name, value) in entries.sorted(by: { DynamicValue.keyPrecedes($0.key, $1.key) }) {
                    try block(field.name) { (printer) throws(TextFormatError) in
                        try printer.write(name, named: "key", kind: key.kind)
                        try printer.write(value, named: "value", kind: field.kind)
                    }
                }
            case let value?: try write(value, of: field)
            case nil:
                guard options.includesDefaults, field.cardinality == .implicit else { continue }
                if case .message = field.kind { continue }
                try write(DynamicValue(defaultOf: field.kind), of: field)
            }
        }
    }

    private mutating func write(_ value: DynamicValue, of field: FieldSchema) throws(TextFormatError) {
        try write(value, named: field.name, kind: field.kind)
    }

    private mutating func write(_ value: DynamicValue, named name: String, kind: FieldKind) throws(TextFormatError) {
        guard case .message(let message) = value else { return line("\(name): \(text(of: value, kind))") }
        try block(name) { (printer) throws(TextFormatError) in try printer.write(message) }
    }

    /// An `Any` with what it holds; false when that cannot be shown.
    private mutating func writeAny(_ message: DynamicMessage) throws(TextFormatError) -> Bool {
        guard case .string(let url)? = message["type_url"], let schema = options.types.message(ofTypeURL: url) else {
            return false
        }
        var bytes: [UInt8] = []
        if case .bytes(let value)? = message["value"] { bytes = value }
        guard let content = try? DynamicMessage(decoding: bytes, as: schema) else { return false }
        try block("[\(url)]") { (printer) throws(TextFormatError) in try printer.write(content) }
        return true
    }

    private mutating func block(
        _ name: String, _ body: (inout TextFormatPrinter) throws(TextFormatError) -> Void
    ) throws(TextFormatError) {
        // Messages inside an Any have a limit of their own when they are decoded; this one spans them all.
        guard level < jsonNestingLimit else {
            throw TextFormatError("nested deeper than \(jsonNestingLimit) levels")
        }
        line("\(name) {")
        level += 1
        try body(&self)
        level -= 1
        line("}")
    }

    private mutating func line(_ text: String) {
        output += String(repeating: "  ", count: level) + text + "\n"
    }

    private func text(of value: DynamicValue, _ kind: FieldKind) -> String {
        switch value {
        case .double(let value): return Self.text(value)
        case .float(let value): return Self.text(value)
        case .int32(let value): return "\(value)"
        case .int64(let value): return "\(value)"
        case .uint32(let value): return "\(value)"
        case .uint64(let value): return "\(value)"
        case .bool(let value): return "\(value)"
        case .string(let value): return TextLiteral.quoted(Array(value.utf8), keepsUTF8: true)
        case .bytes(let value): return TextLiteral.quoted(value, keepsUTF8: false)
        case .enum(let number):
            guard case .enum(let schema) = kind, let name = schema().name(of: number) else { return "\(number)" }
            return name
        case .message, .repeated, .map: preconditionFailure("a scalar is needed here")
        }
    }

    private static func text<T: BinaryFloatingPoint & LosslessStringConvertible>(_ value: T) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
