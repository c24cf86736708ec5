internal import CLibpq

/// Object ids of the built-in types that have a binary form here. Source: `pg_type.dat` of PostgreSQL.
enum TypeID {
    static let unspecified: Oid = 0
    static let bool: Oid = 16
    static let bytes: Oid = 17
    static let char: Oid = 18
    static let name: Oid = 19
    static let int8: Oid = 20
    static let int2: Oid = 21
    static let int4: Oid = 23
    static let text: Oid = 25
    static let objectID: Oid = 26
    static let json: Oid = 114
    static let xml: Oid = 142
    static let float4: Oid = 700
    static let float8: Oid = 701
    static let unknown: Oid = 705
    static let boolArray: Oid = 1000
    static let bytesArray: Oid = 1001
    static let int4Array: Oid = 1007
    static let textArray: Oid = 1009
    static let int8Array: Oid = 1016
    static let bpchar: Oid = 1042
    static let varchar: Oid = 1043
    static let date: Oid = 1082
    static let timestamp: Oid = 1114
    static let timestampTZ: Oid = 1184
    static let timestampTZArray: Oid = 1185
    static let numeric: Oid = 1700
    static let uuid: Oid = 2950
    static let uuidArray: Oid = 2951
    static let jsonb: Oid = 3802
    /// Ids from here on belong to types that users made, such as enums; their binary form may be text.
    static let firstUserDefined: Oid = 16384
}

/// The epoch of PostgreSQL's dates and timestamps, 2000-01-01 UTC, counted from 1970-01-01.
enum PostgresEpoch {
    static let microseconds: Int64 = 946_684_800_000_000
    static let days: Int32 = 10_957
}
