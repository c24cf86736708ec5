internal import CLibpq

/// One row of a result, valid inside `Statement.decode` only. Columns count from zero.
///
/// Each accessor throws `DecodingFailure` when the column is NULL (the `optional…` forms return nil), of another type
/// or out of range.
@safe public struct RowView: ~Copyable {
    private let result: QueryResult
    private let row: Int32

    init(_ result: QueryResult, row: Int) {
        self.result = result
        self.row = Int32(row)
    }

    public var columnCount: Int { unsafe Int(PQnfields(result.handle)) }

    public func isNull(_ column: Int) throws(DecodingFailure) -> Bool {
        try check(column, "a value")
        return unsafe PQgetisnull(result.handle, row, Int32(column)) == 1
    }

    // MARK: Required values

    /// From `int2`, `int4`, `int8`, `oid`, or a whole `numeric` (what `sum(int8)` returns).
    public func int64(_ column: Int) throws(DecodingFailure) -> Int64 {
        try required(column, "Int64") { cell throws(DecodingFailure.Reason) in try cell.int64() }
    }

    public func int32(_ column: Int) throws(DecodingFailure) -> Int32 {
        try required(column, "Int32") { cell throws(DecodingFailure.Reason) in try cell.int32() }
    }

    public func bool(_ column: Int) throws(DecodingFailure) -> Bool {
        try required(column, "Bool") { cell throws(DecodingFailure.Reason) in try cell.bool() }
    }

    /// A binary floating-point number; never for money.
    public func double(_ column: Int) throws(DecodingFailure) -> Double {
        try required(column, "Double") { cell throws(DecodingFailure.Reason) in try cell.double() }
    }

    /// From the text types, `json`, `jsonb`, `numeric`, `uuid` and enums.
    public func string(_ column: Int) throws(DecodingFailure) -> String {
        try required(column, "String") { cell throws(DecodingFailure.Reason) in try cell.string() }
    }

    /// From `bytea`.
    public func bytes(_ column: Int) throws(DecodingFailure) -> [UInt8] {
        try required(column, "bytes") { cell throws(DecodingFailure.Reason) in try cell.byteArray() }
    }

    public func uuid(_ column: Int) throws(DecodingFailure) -> UInt128 {
        try required(column, "a UUID") { cell throws(DecodingFailure.Reason) in try cell.uuid() }
    }

    /// Microseconds since 1970-01-01 UTC, from `timestamptz` or `timestamp`; infinite ones are out of range.
    public func timestamp(_ column: Int) throws(DecodingFailure) -> Int64 {
        try required(column, "a timestamp") { cell throws(DecodingFailure.Reason) in try cell.timestamp() }
    }

    /// Days since 1970-01-01, from `date`.
    public func date(_ column: Int) throws(DecodingFailure) -> Int32 {
        try required(column, "a date") { cell throws(DecodingFailure.Reason) in try cell.date() }
    }

    /// From `int8[]` or `int4[]` without NULLs.
    public func int64Array(_ column: Int) throws(DecodingFailure) -> [Int64] {
        try required(column, "[Int64]") { cell throws(DecodingFailure.Reason) in
            try cell.elements { element throws(DecodingFailure.Reason) in try element.int64() }
        }
    }

    /// From `text[]` without NULLs.
    public func stringArray(_ column: Int) throws(DecodingFailure) -> [String] {
        try required(column, "[String]") { cell throws(DecodingFailure.Reason) in
            try cell.elements { element throws(DecodingFailure.Reason) in try element.string() }
        }
    }

    /// From `bytea[]` without NULLs.
    public func bytesArray(_ column: Int) throws(DecodingFailure) -> [[UInt8]] {
        try required(column, "[bytes]") { cell throws(DecodingFailure.Reason) in
            try cell.elements { element throws(DecodingFailure.Reason) in try element.byteArray() }
        }
    }

    // MARK: Values that may be NULL

    public func optionalInt64(_ column: Int) throws(DecodingFailure) -> Int64? {
        try isNull(column) ? nil : int64(column)
    }

    public func optionalInt32(_ column: Int) throws(DecodingFailure) -> Int32? {
        try isNull(column) ? nil : int32(column)
    }

    public func optionalBool(_ column: Int) throws(DecodingFailure) -> Bool? {
        try isNull(column) ? nil : bool(column)
    }

    public func optionalString(_ column: Int) throws(DecodingFailure) -> String? {
        try isNull(column) ? nil : string(column)
    }

    public func optionalBytes(_ column: Int) throws(DecodingFailure) -> [UInt8]? {
        try isNull(column) ? nil : bytes(column)
    }

    public func optionalUUID(_ column: Int) throws(DecodingFailure) -> UInt128? {
        try isNull(column) ? nil : uuid(column)
    }

    public func optionalTimestamp(_ column: Int) throws(DecodingFailure) -> Int64? {
        try isNull(column) ? nil : timestamp(column)
    }

    public func optionalDate(_ column: Int) throws(DecodingFailure) -> Int32? {
        try isNull(column) ? nil : date(column)
    }

    // MARK: Cells

    private func check(_ column: Int, _ wanted: String) throws(DecodingFailure) {
        guard column >= 0, column < columnCount else {
            throw DecodingFailure(column: column, name: "?", wanted: wanted, reason: .noSuchColumn)
        }
    }

    private func required<Value>(
        _ column: Int, _ wanted: String, _ convert: (Cell) throws(DecodingFailure.Reason) -> Value
    ) throws(DecodingFailure) -> Value {
        let failure: DecodingFailure.Reason
        if try isNull(column) {
            failure = .null
        } else {
            let index = Int32(column)
            let bytes = unsafe UnsafeRawBufferPointer(
                start: PQgetvalue(result.handle, row, index), count: Int(PQgetlength(result.handle, row, index)))
            do {
                return try convert(unsafe Cell(type: PQftype(result.handle, index), bytes: bytes))
            } catch {
                failure = error
            }
        }
        let name = unsafe PQfname(result.handle, Int32(column)).map { unsafe String(cString: $0) } ?? "?"
        throw DecodingFailure(column: column, name: name, wanted: wanted, reason: failure)
    }
}
