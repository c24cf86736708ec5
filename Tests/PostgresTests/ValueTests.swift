import Postgres
import TestSupport
import Testing

/// The server is the judge: what we send it prints as text, and what it makes of text we read.
@Suite struct ValueTests {
    @Test(arguments: SeededGenerator.seeds(3))
    func valuesGoThereAndBack(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let values = (0..<50).map { _ in generator.anyInt64() }
        let texts = (0..<50).map { _ in anyText(&generator) }
        let bytes = (0..<50).map { _ in generator.anyBytes(count: Int(generator.next() % 300)) }
        let flags = (0..<50).map { _ in generator.next() % 2 == 0 }
        let ids = (0..<50).map { _ in UInt128(generator.next()) << 64 | UInt128(generator.next()) }
        try await ScratchDatabase.withClient { client in
            let rows = try await client.query(
                sql: "SELECT * FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY ORDER BY 6",
                [.int64Array(values), .textArray(texts), .bytesArray(bytes), .boolArray(flags), .uuidArray(ids)]
            ) { row in
                #expect(row.columnCount == 6)
                return (
                    try row.int64(0), try row.string(1), try row.bytes(2), try row.bool(3), try row.uuid(4)
                )
            }
            #expect(rows.map(\.0) == values)
            #expect(rows.map(\.1) == texts)
            #expect(rows.map(\.2) == bytes)
            #expect(rows.map(\.3) == flags)
            #expect(rows.map(\.4) == ids)
            let whole = try await client.query(
                sql: "SELECT $1, $2, $3", [.int64Array(values), .textArray(texts), .bytesArray(bytes)]
            ) { (try $0.int64Array(0), try $0.stringArray(1), try $0.bytesArray(2)) }
            #expect(whole[0] == (values, texts, bytes))
        }
    }

    @Test(arguments: [
        ("0", "0"), ("1", "1"), ("-1", "-1"), ("10000", "10000"), ("12345678901234567890.12", nil), ("1.5", nil),
        ("9223372036854775807", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", nil), ("100000000", "100000000"), ("1.00", "1"), ("0.0001", nil), ("-0.5", nil),
        ("1000000.0000", "1000000"), ("NaN", nil), ("Infinity", nil), ("-Infinity", nil), ("12000.00340", nil),
    ])
    func numericsAreReadAsTheServerPrintsThem(_ text: String, whole: String?) async throws {
        try await ScratchDatabase.withClient { client in
            let read = try await client.query(sql: "SELECT $1::text::numeric", [.text(text)]) { row in
                (try row.string(0), try? row.int64(0))
            }
            #expect(read[0].0 == text)
            #expect(read[0].1.map(String.init) == whole)
        }
    }

    @Test func theServerPrintsWhatWeSent() async throws {
        try await ScratchDatabase.withClient { client in
            let rows = try await client.query(
                sql: """
                    SELECT $1::text, $2::text, $3::text, $4::text, ($5 AT TIME ZONE 'UTC')::text, $6::text, $7::text,
                        $8::text, $9::text, $10::text
                    """,
                [
                    .int64(.min), .int32(-7), .bool(true), .bytes([0, 255]), .timestamp(1_700_000_000_123_456),
                    .date(-1), .uuid(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF), .double(0.5),
                    .int64Array([1, nil, 3]), .textArray(["a,b", nil, ""]),
                ]
            ) { row in
                try (0..<row.columnCount).map { try row.string($0) }
            }
            #expect(
                rows[0] == [
                    "-9223372036854775808", "-7", "true", #"\x00ff"#, "2023-11-14 22:13:20.123456", "1969-12-31",
                    "01234567-89ab-cdef-0123-456789abcdef", "0.5", "{1,NULL,3}", #"{"a,b",NULL,""}"#,
                ])
        }
    }

    @Test func weReadWhatTheServerMakes() async throws {
        try await ScratchDatabase.withClient("CREATE TYPE mood AS ENUM ('calm', 'wild')") { client in
            let rows = try await client.query(
                sql: """
                    SELECT '1969-12-31 23:59:59.999999+00'::timestamptz, '2000-01-01'::date, 5::int2, 6::int4,
                        '{"a": 1}'::jsonb, 'wild'::mood, 'c'::"char", 'x'::varchar, 0.25::float4, ''::bytea,
                        sum(x)::numeric, '{}'::int8[], '{1,2}'::int4[], 'infinity'::timestamptz
                    FROM (VALUES (1::int8), (2)) AS v (x)
                    """
            ) { row throws -> Bool in
                #expect(try row.timestamp(0) == -1)
                #expect(try row.date(1) == 10957)
                #expect(try row.int64(2) == 5)
                #expect(try row.int32(3) == 6)
                #expect(try row.string(4) == #"{"a": 1}"#)
                #expect(try row.string(5) == "wild")
                #expect(try row.string(6) == "c")
                #expect(try row.string(7) == "x")
                #expect(try row.double(8) == 0.25)
                #expect(try row.bytes(9) == [])
                #expect(try row.int64(10) == 3)
                #expect(try row.int64Array(11) == [])
                #expect(try row.int64Array(12) == [1, 2])
                #expect(throws: DecodingFailure.self) { () throws in _ = try row.timestamp(13) }
                return true
            }
            #expect(rows == [true])
        }
    }

    @Test func aWrongColumnIsNamed() async throws {
        try await ScratchDatabase.withClient { client async throws in
            func failure(_ decode: (borrowing RowView) throws -> Void) async throws -> DecodingFailure? {
                do {
                    try await client.query(
                        sql: "SELECT NULL::int8 AS nothing, 'x' AS word, 2::int8 << 40 AS big", [], decode)
                    return nil
                } catch let failure as DecodingFailure {
                    return failure
                }
            }
            #expect(try await failure { _ = try $0.int64(0) }?.reason == .null)
            #expect(try await failure { _ = try $0.int64(0) }?.name == "nothing")
            #expect(try await failure { _ = try $0.int64(1) }?.reason == .unsupportedType(25))
            #expect(try await failure { _ = try $0.int32(2) }?.reason == .outOfRange)
            #expect(try await failure { _ = try $0.string(3) }?.reason == .noSuchColumn)
            #expect(try await failure { _ = try $0.optionalInt64(0) } == nil)
        }
    }

    @Test func textFitsWhereverTextWouldBeUnderstood() async throws {
        let table = "CREATE TABLE t (j jsonb, n numeric, u uuid, s timestamptz, v varchar(10))"
        try await ScratchDatabase.withClient(table) { client in
            try await client.execute(
                sql: "INSERT INTO t VALUES ($1, $2, $3, $4, $5)",
                [
                    .text(#"{"a": [1]}"#), .text("12.50"), .text("01234567-89ab-cdef-0123-456789abcdef"),
                    .text("2024-02-29 00:00:00+09"), .text("한글"),
                ])
            let rows = try await client.query(sql: "SELECT * FROM t") {
                [try $0.string(0), try $0.string(1), try $0.string(2), try $0.string(4)]
            }
            #expect(rows == [[#"{"a": [1]}"#, "12.50", "01234567-89ab-cdef-0123-456789abcdef", "한글"]])
        }
    }

    @Test func oneStatementTakesNullAndValueInTurn() async throws {
        try await ScratchDatabase.withClient("CREATE TABLE t (x int4, y int8)") { client in
            try await client.withConnection { session in
                for (x, y) in [(Parameter.null, Parameter.null), (.int64(1), .int64(2)), (.int32(3), .int64(nil))] {
                    try await session.execute(sql: "INSERT INTO t VALUES ($1, $2)", [x, y])
                }
            }
            let rows = try await client.query(sql: "SELECT x, y FROM t ORDER BY x NULLS FIRST") {
                [try $0.optionalInt64(0), try $0.optionalInt64(1)]
            }
            #expect(rows == [[nil, nil], [1, 2], [3, nil]])
        }
    }

    private func anyText(_ generator: inout SeededGenerator) -> String {
        let scalars = (0..<Int(generator.next() % 40)).map { _ in
            Unicode.Scalar(UInt32.random(in: 1...0x2FFFF, using: &generator)) ?? "?"
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
