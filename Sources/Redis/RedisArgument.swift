/// One argument of a command, any bytes; the command's name is the first.
///
/// Literals of strings and integers are arguments.
public enum RedisArgument: Hashable, Sendable {
    case text(String)
    case bytes([UInt8])
    case integer(Int64)

    public init(_ text: String) { self = .text(text) }
    public init(_ bytes: [UInt8]) { self = .bytes(bytes) }
    public init(_ value: some BinaryInteger) { self = .integer(Int64(value)) }
}

extension RedisArgument: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension [UInt8] {
    /// Appends one command as an array of bulk strings (RESP, "Sending commands to a Redis server").
    package mutating func appendCommand(_ arguments: [RedisArgument]) {
        appendHeader("*", arguments.count)
        for argument in arguments {
            switch argument {
            case .bytes(let bytes):
                appendHeader("$", bytes.count)
                append(contentsOf: bytes)
            case .text(let text):
                let utf8 = text.utf8
                appendHeader("$", utf8.count)
                append(contentsOf: utf8)
            case .integer(let value):
                let digits = String(value).utf8
                appendHeader("$", digits.count)
                append(contentsOf: digits)
            }
            append(contentsOf: [0x0D, 0x0A])
        }
    }

    private mutating func appendHeader(_ kind: Unicode.Scalar, _ count: Int) {
        append(UInt8(ascii: kind))
        append(contentsOf: String(count).utf8)
        append(contentsOf: [0x0D, 0x0A])
    }
}
