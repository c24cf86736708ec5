/// Why bytes could not become a message.
///
/// None of these is worth a retry with the same bytes: the sender has to change them.
public enum ProtobufError: Error, Hashable, Sendable {
    /// The bytes break the wire format: cut short, a bad varint, a group, or a known field with another wire type.
    case malformed(message: String)
    /// A `string` field holds bytes that are not UTF-8. `field` is the full name of the field.
    case invalidUTF8(field: String)
    /// A `string` field holds a NUL character, which C programs on the way would take for its end.
    case embeddedNUL(field: String)
    /// Messages are nested more than `limit` levels deep.
    case nestedTooDeep(message: String, limit: Int)
    /// Decoding needs more than `limitBytes` of memory: a small input that unfolds into a huge message.
    case memoryLimit(message: String, limitBytes: Int)
}

extension ProtobufError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let message): "\(message): the bytes are not a valid message"
        case .invalidUTF8(let field): "\(field): the text is not valid UTF-8"
        case .embeddedNUL(let field): "\(field): the text contains a NUL character"
        case .nestedTooDeep(let message, let limit): "\(message): nested deeper than \(limit) levels"
        case .memoryLimit(let message, let limitBytes): "\(message): needs more than \(limitBytes) bytes of memory"
        }
    }
}
