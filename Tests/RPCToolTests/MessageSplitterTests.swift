import Testing

@testable import RPCTool

@Suite struct MessageSplitterTests {
    private static let cases: [(MessageSplitter.Format, String, [String])] = [
        (.json, "", []), (.json, " \n\t ", []), (.json, "{}", ["{}"]), (.json, "{}{}", ["{}", "{}"]),
        (.json, "{\"a\": \"}\\\"{\"}\n[1, [2]] ", ["{\"a\": \"}\\\"{\"}", "[1, [2]]"]),
        (.json, "1 2\"x\" true{}", ["1", "2", "\"x\"", "true", "{}"]),
        (.json, "\"a b\"\"\\\\\"", ["\"a b\"", "\"\\\\\""]),
        (.json, "{\"a\":", ["{\"a\":"]), (.json, "}", ["}"]), (.json, "{\"é\":\"한\"}", ["{\"é\":\"한\"}"]),
        (.text, "a: 1\nb: 2\n", ["a: 1\nb: 2\n"]), (.text, "a: 1\u{1e}b: 2", ["a: 1", "b: 2"]),
        (.text, "\u{1e}\u{1e} a: 1\u{1e}\n", ["a: 1"]), (.text, "a: \"{\"", ["a: \"{\""]),
    ]

    @Test(arguments: cases.indices) func cuts(_ index: Int) throws {
        let (format, text, expected) = Self.cases[index]
        var splitter = MessageSplitter(format)
        #expect(try (splitter.take(text.utf8) + splitter.finish()).map(\.text) == expected)
    }

    /// However the bytes come, the messages are the same.
    @Test(arguments: cases.indices) func cutsTheSameInAnyPieces(_ index: Int) throws {
        let (format, text, expected) = Self.cases[index]
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var splitter = MessageSplitter(format)
            let pieces = try splitter.take(bytes[..<cut]) + splitter.take(bytes[cut...]) + splitter.finish()
            #expect(pieces.map(\.text) == expected)
        }
    }

    @Test func aMessageComesWithItsLastByte() throws {
        var splitter = MessageSplitter(.json)
        #expect(try splitter.take("{\"a\":1".utf8).isEmpty)
        #expect(try splitter.take("}".utf8).map(\.text) == ["{\"a\":1}"])
    }

    @Test func linesAreThoseOfTheWholeInput() throws {
        var splitter = MessageSplitter(.json)
        let pieces = try splitter.take("\n{\n}\n\n{}".utf8)
        #expect(pieces.map(\.line) == [2, 5])
    }

    @Test func aMessageWithoutAnEndDoesNotFillTheMemory() throws {
        var splitter = MessageSplitter(.json, limitBytes: 100)
        #expect(throws: ToolFailure.self) { try splitter.take([UInt8](repeating: UInt8(ascii: "["), count: 101)) }
        var other = MessageSplitter(.json, limitBytes: 100)
        #expect(try other.take([UInt8](repeating: UInt8(ascii: " "), count: 10_000)).isEmpty)
    }
}
