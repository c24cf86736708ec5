internal import CLibpq

/// A value for one `$n` of a statement.
///
/// Each carries its type, so that the server never guesses: `int64` is `int8`, `bytes` is `bytea`, and so on. Only
/// `text` leaves the type to the place where it stands, so that it also fits `jsonb`, `numeric`, `uuid` and enums.
/// A value of `nil` is SQL's NULL of the same type.
public struct Parameter: Hashable, Sendable {
    enum Value: Hashable, Sendable {
        case null
        case bool(Bool)
        case int32(Int32)
        case int64(Int64)
        case double(UInt64)
        case text(String)
        case bytes([UInt8])
        case uuid(UInt128)
        case boolArray([Bool])
        case int64Array([Int64?])
        case textArray([String?])
        case bytesArray([[UInt8]?])
        case uuidArray([UInt128?])
    }

    let type: Oid
    let value: Value

    private init(_ type: Oid, _ value: Value?) {
        self.type = type
        self.value = value ?? .null
    }

    /// NULL of the type that its place in the statement asks for.
    public static let null = Parameter(TypeID.unspecified, nil)

    public static func bool(_ value: Bool?) -> Parameter { Parameter(TypeID.bool, value.map(Value.bool)) }

    public static func int32(_ value: Int32?) -> Parameter { Parameter(TypeID.int4, value.map(Value.int32)) }

    public static func int64(_ value: Int64?) -> Parameter { Parameter(TypeID.int8, value.map(Value.int64)) }

    /// A binary floating-point number; never for money.
    public static func double(_ value: Double?) -> Parameter {
        Parameter(TypeID.float8, value.map { .double($0.bitPattern) })
    }

    /// Text, or the text form of whatever type its place asks for. NUL characters are refused when it is sent.
    public static func text(_ value: String?) -> Parameter { Parameter(TypeID.unspecified, value.map(Value.text)) }

    public static func bytes(_ value: [UInt8]?) -> Parameter { Parameter(TypeID.bytes, value.map(Value.bytes)) }

    /// The 128 bits of a UUID, most significant byte first in its text form.
    public static func uuid(_ value: UInt128?) -> Parameter { Parameter(TypeID.uuid, value.map(Value.uuid)) }

    /// An instant as microseconds since 1970-01-01 UTC, for `timestamptz`. Instants before 2000 minus 2^63 µs trap.
    public static func timestamp(_ microseconds: Int64?) -> Parameter {
        Parameter(TypeID.timestampTZ, microseconds.map { .int64($0 - PostgresEpoch.microseconds) })
    }

    /// A calendar date as days since 1970-01-01.
    public static func date(_ days: Int32?) -> Parameter {
        Parameter(TypeID.date, days.map { .int32($0 - PostgresEpoch.days) })
    }

    public static func boolArray(_ values: [Bool]) -> Parameter { Parameter(TypeID.boolArray, .boolArray(values)) }

    public static func int64Array(_ values: [Int64]) -> Parameter {
        Parameter(TypeID.int8Array, .int64Array(values))
    }

    public static func int64Array(_ values: [Int64?]) -> Parameter {
        Parameter(TypeID.int8Array, .int64Array(values))
    }

    public static func textArray(_ values: [String]) -> Parameter { Parameter(TypeID.textArray, .textArray(values)) }

    public static func textArray(_ values: [String?]) -> Parameter { Parameter(TypeID.textArray, .textArray(values)) }

    public static func bytesArray(_ values: [[UInt8]]) -> Parameter {
        Parameter(TypeID.bytesArray, .bytesArray(values))
    }

    public static func bytesArray(_ values: [[UInt8]?]) -> Parameter {
        Parameter(TypeID.bytesArray, .bytesArray(values))
    }

    public static func uuidArray(_ values: [UInt128]) -> Parameter { Parameter(TypeID.uuidArray, .uuidArray(values)) }

    /// Instants as microseconds since 1970-01-01 UTC, for `timestamptz[]`.
    public static func timestampArray(_ microseconds: [Int64]) -> Parameter {
        Parameter(
            TypeID.timestampTZArray, .int64Array(microseconds.map { $0 - PostgresEpoch.microseconds }))
    }
}
