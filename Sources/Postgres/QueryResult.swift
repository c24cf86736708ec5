internal import CLibpq

/// What the server returned for one command. Owns the `PGresult` and frees it once.
///
/// Source: libpq manual, "Command Execution Functions".
@safe final class QueryResult: @unchecked Sendable {
    // @unchecked: libpq documents a PGresult as read-only after its creation, usable by any thread.
    let handle: OpaquePointer

    init(taking handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe PQclear(handle) }

    var status: ExecStatusType { unsafe PQresultStatus(handle) }
    var rowCount: Int { unsafe Int(PQntuples(handle)) }

    /// Rows that an INSERT, UPDATE, DELETE or SELECT affected; 0 for other commands.
    var affectedRows: Int { unsafe Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// The command tag, such as `COMMIT` or `ROLLBACK`.
    var commandTag: String { unsafe String(cString: PQcmdStatus(handle)) }

    /// A field of an error report; `code` is the ASCII letter of the protocol's message field.
    func errorField(_ code: Unicode.Scalar) -> String? {
        guard let text = unsafe PQresultErrorField(handle, Int32(code.value)) else { return nil }
        return unsafe String(cString: text)
    }

    /// Decodes each row in server order.
    func rows<Row>(_ decode: (borrowing RowView) throws -> Row) throws -> [Row] {
        var rows: [Row] = []
        rows.reserveCapacity(rowCount)
        for index in 0..<rowCount { rows.append(try decode(RowView(self, row: index))) }
        return rows
    }
}
