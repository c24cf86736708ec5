/// One answer of the server (RESP2), or a part of it.
public enum RedisValue: Hashable, Sendable {
    case null
    case integer(Int64)
    /// A bulk string: any bytes.
    case bytes([UInt8])
    /// A simple string such as `OK`.
    case status(String)
    case array([RedisValue])
    /// An error reply inside a pipeline's results or inside an array.
    case error(RedisError)

    public var isNull: Bool { self == .null }

    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    public var elements: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    public var bytes: [UInt8]? {
        switch self {
        case .bytes(let bytes): bytes
        case .status(let text): Array(text.utf8)
        case .null, .integer, .array, .error: nil
        }
    }

    /// The string; nil when it is none or no valid UTF-8.
    public var text: String? {
        switch self {
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        case .null, .integer, .array, .error: nil
        }
    }

    public var error: RedisError? {
        if case .error(let error) = self { error } else { nil }
    }

    /// The value, or its error thrown.
    public func get() throws(RedisError) -> RedisValue {
        if case .error(let error) = self { throw error }
        return self
    }
}
