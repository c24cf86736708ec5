import Foundation
import Protobuf
import TestMessages
import TestSupport
import Testing

@Suite struct TextFormatTests {
    private static func message(_ sample: any Message) throws -> DynamicMessage {
        try DynamicMessage(decoding: sample.encoded(), as: type(of: sample).schema)
    }

    private static func read(
        _ text: String, as type: any Message.Type, _ options: TextFormatOptions = .default
    ) throws -> [UInt8] {
        try DynamicMessage(text: text, as: type.schema, options: options).encoded()
    }

    @Test(
        arguments: [
            (Scalars(), ""),
            (Scalars(int32: -5, bool: true), "int32: -5\nbool: true\n"),
            (Scalars(double: 100, float: -.infinity), "double: 100\nfloat: -inf\n"),
            (Scalars(double: 1e300, color: .red), "double: 1e+300\ncolor: COLOR_RED\n"),
            (Scalars(color: .unrecognized(9)), "color: 9\n"),
            (Scalars(string: "a\"\\\n\u{1}é"), "string: \"a\\\"\\\\\\n\\001é\"\n"),
            (Scalars(bytes: [0, 255, 65]), "bytes: \"\\000\\377A\"\n"),
            (
                Repeated(int64: [1, 2], message: [Scalars(), Scalars(int32: 1)]),
                "int64: 1\nint64: 2\nmessage {\n}\nmessage {\n  int32: 1\n}\n"
            ),
            (
                Maps(message: ["k": Scalars(int32: 1)]),
                "message {\n  key: \"k\"\n  value {\n    int32: 1\n  }\n}\n"
            ),
            (
                WellKnown(any: .init(packing: Google_Protobuf_Duration(seconds: 1))),
                "any {\n  [type.googleapis.com/google.protobuf.Duration] {\n    seconds: 1\n  }\n}\n"
            ),
            (
                WellKnown(any: .init(typeURL: "x/no.Such", value: [1])),
                "any {\n  type_url: \"x/no.Such\"\n  value: \"\\001\"\n}\n"
            ),
        ] as [(any Message, String)])
    func messages(_ sample: any Message, haveTheText text: String) throws {
        #expect(try Self.message(sample).textFormat() == text)
        #expect(try Self.read(text, as: type(of: sample)) == sample.encoded())
    }

    @Test(arguments: [
        ("int32:0x1F, uint32: 017; int64 : -0", Scalars(int32: 31, uint32: 15)),
        ("# a comment\nint32: 1 # another\n", Scalars(int32: 1)),
        ("string: 'it\\'s' \" and\" \"\\u00e9\\x41\\101\"", Scalars(string: "it's andéAA")),
        ("string: \"\\ud83d\\ude00\\U0001F600\"", Scalars(string: "😀😀")),
        ("double: 1.5f float: inf", Scalars(double: 1.5, float: .infinity)),
        ("double: .5 float: -1e-3", Scalars(double: 0.5, float: -1e-3)),
        ("bool: t color: 1", Scalars(bool: true, color: .red)),
        ("bytes: '\\xff\\0'", Scalars(bytes: [255, 0])),
    ])
    func acceptsOtherForms(_ text: String, _ expected: Scalars) throws {
        #expect(try Self.read(text, as: Scalars.self) == expected.encoded())
    }

    @Test(arguments: [
        ("int64: [1, 2] int64: 3 int64: []", Repeated(int64: [1, 2, 3])),
        (
            "message < int32: 1 > message: [{}, {int32: 2}]",
            Repeated(message: [.init(int32: 1), .init(), .init(int32: 2)])
        ),
    ])
    func acceptsLists(_ text: String, _ expected: Repeated) throws {
        #expect(try Self.read(text, as: Repeated.self) == expected.encoded())
    }

    @Test func aMapEntryMayLackItsParts() throws {
        let text = "int32 { value: 1 } int32: [{ key: 5 }, { key: 6 value: 7 }]"
        #expect(try Self.read(text, as: Maps.self) == Maps(int32: [0: 1, 5: 0, 6: 7]).encoded())
    }

    @Test(arguments: [
        ("int32: 1\n nothing: 2", "line 2, column 2: test.Scalars has no field nothing"),
        ("int32 1", "line 1, column 7: expected ':'"),
        ("int32: 2147483648", "line 1, column 8: 2147483648 is not an integer from -2147483648 to 2147483647"),
        ("uint32: -1", "line 1, column 10: -1 is not an integer from 0 to 4294967295"),
        ("int32: 08", "line 1, column 8: 08 is not an integer from -2147483648 to 2147483647"),
        ("int32: 0 int32: 1", "line 1, column 10: int32 is given twice"),
        ("string: \"a", "line 1, column 9: the string does not end"),
        ("string: \"a\nb\"", "line 1, column 9: the string does not end"),
        ("string: \"\\q\"", "line 1, column 10: this escape does not exist"),
        ("string: \"\\377\"", "line 1, column 9: the text is not valid UTF-8"),
        ("string: \"\\0\"", "line 1, column 9: the text contains a NUL character"),
        ("color: BLUE", "line 1, column 8: test.Color has no value BLUE"),
        ("bool: maybe", "line 1, column 12: expected true or false"),
        ("double: pi", "line 1, column 9: pi is not a number"),
        ("double: 0x1", "line 1, column 12: expected a number"),
        ("int32: 1 }", "line 1, column 10: expected the name of a field"),
        ("[pkg.extension]: 1", "line 1, column 2: test.Scalars has no field [pkg.extension]"),
    ])
    func refuses(_ text: String, _ reason: String) {
        let error = #expect(throws: TextFormatError.self) { try Self.read(text, as: Scalars.self) }
        #expect(error?.description == reason)
    }

    @Test func refusesTwoMembersOfAOneof() {
        let error = #expect(throws: TextFormatError.self) { try Self.read("number: 1 text: \"x\"", as: Choices.self) }
        #expect(error?.reason == "number of oneof choice is given, too")
    }

    @Test func refusesToNestTooDeep() {
        let text = String(repeating: "child {", count: 101) + String(repeating: "}", count: 101)
        let error = #expect(throws: TextFormatError.self) { try Self.read(text, as: Node.self) }
        #expect(error?.reason == "nested deeper than 100 levels")
        let skipped = String(repeating: "nothing {", count: 200_000)
        let options = TextFormatOptions(ignoresUnknownFields: true)
        #expect(throws: TextFormatError.self) { try Self.read(skipped, as: Node.self, options) }
    }

    @Test func readsOverUnknownFieldsWhenAsked() throws {
        let text =
            "int32: 1 nothing { a: [1, 'x'], b < c: -inf > [p.q] { d: 1 } } other: [{e: 1}, {}], 7: \"s\" \"t\" bool: true"
        let options = TextFormatOptions(ignoresUnknownFields: true)
        #expect(try Self.read(text, as: Scalars.self, options) == Scalars(int32: 1, bool: true).encoded())
        #expect(throws: TextFormatError.self) { try Self.read(text, as: Scalars.self) }
    }

    @Test func writesDefaultsWhenAsked() throws {
        let text = try Self.message(Choices(before: 1)).textFormat(options: TextFormatOptions(includesDefaults: true))
        #expect(text == "before: 1\nafter: 0\n")
    }

    @Test(arguments: Samples.all.indices) func everySampleComesBack(_ index: Int) throws {
        let sample = Samples.all[index]
        for options in [TextFormatOptions(), TextFormatOptions(includesDefaults: true)] {
            let text = try Self.message(sample).textFormat(options: options)
            #expect(try Self.read(text, as: type(of: sample)) == sample.encoded())
        }
    }

    /// Any cut of a text is either a message or an error, never a crash.
    @Test func textCutAnywhereIsReadOrRefused() throws {
        for sample in Samples.all {
            let text = Array(try Self.message(sample).textFormat().utf8)
            for count in stride(from: 0, to: text.count, by: 7) {
                let cut = String(decoding: text[..<count], as: UTF8.self)
                _ = try? Self.read(cut, as: type(of: sample))
            }
        }
    }

    private static let python = Python.interpreter(importing: "google.protobuf")

    @Test(.enabled(if: python != nil, "the protobuf library of Python is not installed"))
    func googlesLibraryReadsOursAndWeReadIts() throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let set = "\(folder.path)/set"
        let compiled = try Program.run(
            "protoc",
            ["-I", "\(Repository.path)/Protos", "-I", "/usr/include", "--include_imports", "--descriptor_set_out", set]
                + ["test/kinds.proto", "test/well_known.proto"])
        try #require(compiled.status == 0, "\(compiled.errors)")
        var input = ""
        for sample in Samples.all {
            let text = try Self.message(sample).textFormat()
            input += "\(type(of: sample).schema.fullName)\t\(Self.hex(Array(text.utf8)))\n"
        }
        let result = try Program.run(
            try #require(Self.python), ["\(Repository.path)/Tests/ProtobufTests/Python/text_format.py", set],
            input: Data(input.utf8))
        let lines = result.text.split(separator: "\n")
        try #require(lines.count == Samples.all.count, "\(result.errors)")
        for (sample, line) in zip(Samples.all, lines) {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            let schema = type(of: sample).schema
            let theirs = try DynamicMessage(decoding: Self.bytes(parts[0]), as: schema)
            let expected = try DynamicMessage(decoding: sample.encoded(), as: schema)
            #expect(theirs.encoded() == expected.encoded(), "\(schema.fullName)")
            let text = String(decoding: Self.bytes(parts[1]), as: UTF8.self)
            #expect(try DynamicMessage(text: text, as: schema).encoded() == expected.encoded(), "\(text)")
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

    private static func bytes(_ hex: Substring) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).map { index in
            UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16) ?? 0
        }
    }
}
