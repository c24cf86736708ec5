import Protobuf
import RPCTool

/// Values of the contract as people write them: place-order for OPERATION_PLACE_ORDER.
enum EnumText {
    static func text<Value: ProtobufEnum>(_ value: Value) -> String {
        guard let name = Value.schema.name(of: value.rawValue) else { return "\(value.rawValue)" }
        return short(name, prefix(Value.schema))
    }

    /// - Throws: `ToolFailure.invalid` with all words there are.
    static func value<Value: ProtobufEnum>(_ text: String, _ option: String) throws -> Value {
        let prefix = prefix(Value.schema)
        let words = Value.schema.values.filter { $0.number != 0 }.map { (short($0.name, prefix), $0.number) }
        let wanted = text.lowercased().replacing("_", with: "-")
        guard let found = words.first(where: { $0.0 == wanted }) else {
            throw ToolFailure.invalid("\(option) \(text): is none of \(words.map(\.0).joined(separator: ", ")).")
        }
        return Value(rawValue: found.1)
    }

    /// What all names of the enumeration begin with: the one of zero tells.
    private static func prefix(_ schema: EnumSchema) -> String {
        let zero = schema.name(of: 0) ?? ""
        return zero.hasSuffix("UNSPECIFIED") ? String(zero.dropLast("UNSPECIFIED".count)) : ""
    }

    private static func short(_ name: String, _ prefix: String) -> String {
        let rest = name.hasPrefix(prefix) ? name.dropFirst(prefix.count) : name[...]
        return rest.lowercased().replacing("_", with: "-")
    }
}
