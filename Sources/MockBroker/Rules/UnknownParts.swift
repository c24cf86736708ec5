internal import Protobuf

/// Finds what a message carries and its contract does not name, which a test must not take for granted.
enum UnknownParts {
    /// - Throws: the first field or value without a name, with its path.
    static func refuse(in message: some Message) throws(InvalidSetting) {
        let dynamic: DynamicMessage
        do {
            dynamic = try DynamicMessage(decoding: message.encoded(), as: type(of: message).schema)
        } catch {
            throw InvalidSetting(path: "", problem: "cannot be read: \(error)")
        }
        try refuse(in: dynamic, path: "")
    }

    private static func refuse(in message: DynamicMessage, path: String) throws(InvalidSetting) {
        if let number = firstNumber(message.unknownFields) {
            throw InvalidSetting(path: path + "\(number)", problem: "is a field that the contract does not have")
        }
        for field in message.schema.fields {
            guard let value = message[field] else { continue }
            try refuse(value, of: field, path: path + field.name)
        }
    }

    private static func refuse(_ value: DynamicValue, of field: FieldSchema, path: String) throws(InvalidSetting) {
        switch value {
        case .message(let message): try refuse(in: message, path: path + ".")
        case .enum(let number):
            guard case .enum(let schema) = field.kind, schema().name(of: number) == nil else { return }
            throw InvalidSetting(path: path, problem: "has the value \(number), which the contract does not have")
        case .repeated(let values):
            for (index, value) in values.enumerated() { try refuse(value, of: field, path: "\(path)[\(index)]") }
        case .double, .float, .int32, .int64, .uint32, .uint64, .bool, .string, .bytes, .map: break
        }
    }

    /// The number in the first tag of `fields`.
    private static func firstNumber(_ fields: UnknownFields) -> UInt64? {
        guard !fields.isEmpty else { return nil }
        var tag: UInt64 = 0
        for (index, byte) in fields.bytes.prefix(5).enumerated() {
            tag |= UInt64(byte & 0x7F) << (7 * UInt64(index))
            if byte & 0x80 == 0 { break }
        }
        return tag >> 3
    }
}
