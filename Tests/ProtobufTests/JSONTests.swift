import Protobuf
import TestMessages
import Testing

@Suite struct JSONTests {
    private static let optionals = Optionals(int64: 0, bool: false, string: "", message: Scalars())

    @Test(
        arguments: [
            (Scalars(), "{}"),
            (Samples.choices[0], #"{"before":1,"number":0,"after":2}"#),
            (Scalars(int64: .min, uint64: .max), #"{"int64":"-9223372036854775808","uint64":"18446744073709551615"}"#),
            (Scalars(double: 1.5, float: 0.1), #"{"double":1.5,"float":0.1}"#),
            (Scalars(double: 100, float: -0.0), #"{"double":100,"float":-0.0}"#),
            (Scalars(double: .nan, float: -.infinity), #"{"double":"NaN","float":"-Infinity"}"#),
            (Scalars(double: 1e300), #"{"double":1e+300}"#),
            (Scalars(string: "a\"\\\n\u{1}é"), #"{"string":"a\"\\\n\u0001é"}"#),
            (Scalars(bytes: [0xfb, 0xff, 0x01, 0x02]), #"{"bytes":"+/8BAg=="}"#),
            (Scalars(color: .red), #"{"color":"COLOR_RED"}"#),
            (Scalars(color: .unrecognized(9)), #"{"color":9}"#),
            (optionals, #"{"int64":"0","bool":false,"string":"","message":{}}"#),
            (Repeated(int64: [1, 2], color: [.green]), #"{"int64":["1","2"],"color":["COLOR_GREEN"]}"#),
            (Repeated(notPacked: [1]), #"{"notPacked":[1]}"#),
            (
                Maps(int32: [2: 1, -1: 0], bool: [true: false], message: ["k": Scalars(int32: 1)]),
                #"{"int32":{"-1":0,"2":1},"bool":{"true":false},"message":{"k":{"int32":1}}}"#
            ),
            (
                Names(unknownFieldsField: "u", orderID: "o", renamed: "r"),
                #"{"unknownFields":"u","orderId":"o","other":"r"}"#
            ),
            (WellKnown(timestamp: Google_Protobuf_Timestamp(seconds: 0)), #"{"timestamp":"1970-01-01T00:00:00Z"}"#),
            (
                WellKnown(timestamp: Google_Protobuf_Timestamp(seconds: 1_709_208_000, nanos: 500_000_000)),
                #"{"timestamp":"2024-02-29T12:00:00.500Z"}"#
            ),
            (
                WellKnown(timestamp: Google_Protobuf_Timestamp(seconds: -62_135_596_800, nanos: 1)),
                #"{"timestamp":"0001-01-01T00:00:00.000000001Z"}"#
            ),
            (
                WellKnown(timestamp: Google_Protobuf_Timestamp(seconds: 253_402_300_799, nanos: 999_999_000)),
                #"{"timestamp":"9999-12-31T23:59:59.999999Z"}"#
            ),
            (
                WellKnown(duration: Google_Protobuf_Duration(seconds: -1, nanos: -500_000_000)),
                #"{"duration":"-1.500s"}"#
            ),
            (WellKnown(duration: Google_Protobuf_Duration(nanos: -1)), #"{"duration":"-0.000000001s"}"#),
            (WellKnown(duration: Google_Protobuf_Duration()), #"{"duration":"0s"}"#),
            (WellKnown(empty: Google_Protobuf_Empty()), #"{"empty":{}}"#),
            (WellKnown(mask: Google_Protobuf_FieldMask(paths: ["a_b.c", "d"])), #"{"mask":"aB.c,d"}"#),
            (
                WellKnown(int64: .init(value: 5), string: .init(), bool: .init(value: true)),
                #"{"int64":"5","string":"","bool":true}"#
            ),
            (
                WellKnown(
                    structure: .init(fields: [
                        "n": .init(kind: .nullValue(.nullValue)),
                        "l": .init(kind: .listValue(.init(values: [.init(kind: .numberValue(1))]))),
                        "s": .init(kind: .structValue(.init())),
                    ])),
                #"{"structure":{"l":[1],"n":null,"s":{}}}"#
            ),
            (WellKnown(value: .init(kind: .nullValue(.nullValue))), #"{"value":null}"#),
            (WellKnown(choice: .chosenNull(.nullValue)), #"{"chosenNull":null}"#),
            (WellKnown(null: .unrecognized(2)), #"{"null":2}"#),
            (
                WellKnown(any: .init(packing: Google_Protobuf_Duration(seconds: 1))),
                #"{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}"#
            ),
            (
                WellKnown(any: .init(packing: GoogleRPCErrorInfo(reason: "R", metadata: ["k": "v"]))),
                #"{"any":{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R","metadata":{"k":"v"}}}"#
            ),
            (WellKnown(any: .init()), #"{"any":{}}"#),
        ] as [(any Message, String)])
    func messages(_ message: any Message, haveTheJSON text: String) throws {
        #expect(try message.jsonString() == text)
        #expect(try Self.reread(message, from: text) == message.encoded())
    }

    private static func reread<M: Message>(_ message: M, from text: String) throws -> [UInt8] {
        try M(json: text).encoded()
    }

    @Test(arguments: Samples.all.indices)
    func everySampleComesBack(_ index: Int) throws {
        let message = Samples.all[index]
        for options in [JSONOptions(), JSONOptions(isPretty: true, includesDefaults: true, usesProtoNames: true)] {
            let text = try message.jsonString(options: options)
            #expect(try Self.reread(message, from: text) == message.encoded())
        }
    }

    @Test(arguments: [
        (#" { "int32" : 1e2 , "uint32" : 5.0, "int64": -1.5e1 } "#, Scalars(int32: 100, int64: -15, uint32: 5)),
        (
            #"{"int32":"7","uint64":"1e3","double":"1.5","float":1}"#,
            Scalars(double: 1.5, float: 1, int32: 7, uint64: 1000)
        ),
        (#"{"double":"Infinity","float":"NaN"}"#, Scalars(double: .infinity, float: .nan)),
        (#"{"int32":null,"string":null,"color":null}"#, Scalars()),
        (#"{"bytes":"-_8BAg"}"#, Scalars(bytes: [0xfb, 0xff, 0x01, 0x02])),
        (#"{"color":2}"#, Scalars(color: .green)),
        (#"{"color":"COLOR_NEGATIVE"}"#, Scalars(color: .negative)),
        (#"{"string":"\u00e9\ud83d\ude00\/\b\f\n\r\t"}"#, Scalars(string: "é😀/\u{8}\u{c}\n\r\t")),
        (#"{"int64":9223372036854775807}"#, Scalars(int64: .max)),
    ])
    func alternativesAreAccepted(_ text: String, for message: Scalars) throws {
        #expect(try Scalars(json: text).encoded() == message.encoded())
    }

    @Test func protoNamesAreAccepted() throws {
        #expect(
            try Names(json: #"{"order_id":"1","unknown_fields":"2","renamed":"3"}"#)
                == Names(unknownFieldsField: "2", orderID: "1", renamed: "3"))
        #expect(throws: JSONError.self) { try Names(json: #"{"order_id":"1","orderId":"2"}"#) }
    }

    @Test(arguments: [
        (#"{"intt":1}"#, "intt: test.Scalars has no such field"),
        (#"{"int32":2147483648}"#, "int32: 2147483648 is out of range: from -2147483648 to 2147483647"),
        (#"{"int32":1.5}"#, "int32: 1.5 is not an integer"),
        (#"{"int32":1e999999999}"#, "int32: 1e999999999 is out of range: from -2147483648 to 2147483647"),
        (#"{"int32":1e-999999999}"#, "int32: 1e-999999999 is not an integer"),
        (#"{"int32":" 1"}"#, "int32: expected an integer, found \" 1\""),
        (#"{"int32":true}"#, "int32: expected an integer, found a boolean"),
        (#"{"uint32":-1}"#, "uint32: -1 is out of range: from 0 to 4294967295"),
        (
            #"{"uint64":18446744073709551616}"#,
            "uint64: 18446744073709551616 is out of range: from 0 to 18446744073709551615"
        ),
        (#"{"double":1e400}"#, "double: 1e400 is out of range for double"),
        (#"{"float":1e39}"#, "float: 1e39 is out of range for float"),
        (#"{"bool":"true"}"#, "bool: expected true or false, found a string"),
        (#"{"string":1}"#, "string: expected a string, found a number"),
        (#"{"string":"a\u0000b"}"#, "string: the text contains a NUL character"),
        (#"{"bytes":"a"}"#, "bytes: the text is not base64"),
        (#"{"color":"RED"}"#, "color: test.Color has no value RED"),
        (#"[]"#, "expected an object, found an array"),
    ])
    func faultsAreNamed(_ text: String, as description: String) {
        #expect {
            try Scalars(json: text)
        } throws: { error in
            "\(error)" == description
        }
    }

    private static let ignoring = JSONOptions(ignoresUnknownFields: true)

    @Test(arguments: [
        (#"{"nobody":{"deep":[1,null]},"int32":1,"other":"x"}"#, Scalars(int32: 1)),
        (#"{"color":"COLOR_OF_NEXT_YEAR","bool":true}"#, Scalars(bool: true)),
        (#"{"color":7}"#, Scalars(color: .unrecognized(7))),
    ])
    func unknownFieldsCanBeIgnored(_ text: String, leaving message: Scalars) throws {
        #expect(try Scalars(json: text, options: Self.ignoring) == message)
    }

    @Test func unknownEnumValuesAreIgnoredWhereverTheyAre() throws {
        let repeated = try Repeated(json: #"{"color":["COLOR_RED","X","COLOR_GREEN"]}"#, options: Self.ignoring)
        #expect(repeated == Repeated(color: [.red, .green]))
        let maps = try Maps(json: #"{"color":{"a":"X","b":"COLOR_RED"}}"#, options: Self.ignoring)
        #expect(maps == Maps(color: ["b": .red]))
        #expect(try Optionals(json: #"{"color":"X"}"#, options: Self.ignoring) == Optionals())
        #expect(try Choices(json: #"{"color":"X","text":"t"}"#, options: Self.ignoring) == Choices(choice: .text("t")))
        let any = #"{"any":{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R","new":1}}"#
        let expected = WellKnown(any: .init(packing: GoogleRPCErrorInfo(reason: "R")))
        #expect(try WellKnown(json: any, options: Self.ignoring) == expected)
        #expect(throws: JSONError.self) { try WellKnown(json: any) }
        // A value of the wrong kind is no unknown field.
        #expect(throws: JSONError.self) { try Scalars(json: #"{"color":true}"#, options: Self.ignoring) }
    }

    @Test func ofNamesGivenTwiceTheLastCanBeTaken() throws {
        let options = JSONOptions(duplicates: .takeLast)
        #expect(
            try Scalars(json: #"{"int32":1,"bool":true,"int32":2}"#, options: options) == Scalars(int32: 2, bool: true))
        #expect(try Scalars(json: #"{"int32":1,"int32":null}"#, options: options) == Scalars())
        #expect(try Names(json: #"{"order_id":"1","orderId":"2"}"#, options: options) == Names(orderID: "2"))
        #expect(try Maps(json: #"{"int32":{"1":1,"1":2,"1.0":3}}"#, options: options) == Maps(int32: [1: 3]))
        #expect(throws: JSONError.self) { try Choices(json: #"{"number":1,"text":"t"}"#, options: options) }
        let sequence = try DynamicMessage.sequence(
            json: #"{"int32":1,"int32":2}{}"#, as: Scalars.schema, options: options)
        #expect(sequence.map { $0["int32"] } == [.int32(2), nil])
        for text in [#"{"int32":1,"int32":1}"#, #"{"string":"a","string":null}"#] {
            #expect(throws: JSONError.self) { try Scalars(json: text) }
        }
    }

    @Test func faultsAreNamedWithTheirPath() {
        func description(_ type: any Message.Type, _ text: String) -> String {
            do {
                _ = try type.init(json: text)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(
            description(Repeated.self, #"{"message":[{},{"int32":"x"}]}"#)
                == "message[1].int32: expected an integer, found \"x\"")
        #expect(description(Repeated.self, #"{"int32":[null]}"#) == "int32[0]: expected an integer, found null")
        #expect(
            description(Maps.self, #"{"message":{"a b":{"color":"X"}}}"#)
                == "message[\"a b\"].color: test.Color has no value X")
        #expect(description(Maps.self, #"{"bool":{"yes":true}}"#) == "bool[\"yes\"]: expected true or false as the key")
        #expect(
            description(Maps.self, #"{"int32":{"1":1,"1.0":1}}"#) == "int32[\"1.0\"]: given twice")
        #expect(
            description(Choices.self, #"{"number":1,"text":"t"}"#)
                == "text: another member of oneof choice is given, too")
        #expect(
            description(WellKnown.self, #"{"timestamp":"2023-02-29T00:00:00Z"}"#).hasPrefix(
                "timestamp: expected a time"))
        #expect(
            description(WellKnown.self, #"{"any":{"@type":"x/no.Such"}}"#)
                == "any.@type: the type x/no.Such is not known")
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("{\n  \"a\" 1}", 2, 7), ("{\"a\":1,}", 1, 8), ("{\"a\":01}", 1, 7),
        ("{\"a\":1}x", 1, 8),
        ("{\"int32\":1,\"int32\":2}", 1, 12), ("{\"a\":\"\n\"}", 1, 7), ("{\"a\":\"\\x\"}", 1, 8), ("{'a':1}", 1, 2),
        ("{\"a\":\"\\ud800\"}", 1, 13), ("{\"a\":1.}", 1, 8), ("{\"a\":+1}", 1, 6), ("{\"a\":nul}", 1, 6),
        ("{\"a\":\"", 1, 7),
    ])
    func textThatIsNotJSONIsRefused(_ text: String, line: Int, column: Int) {
        #expect {
            try Scalars(json: text)
        } throws: { error in
            let position = (error as? JSONError)?.position
            return position?.line == line && position?.column == column
        }
    }

    @Test(arguments: [
        "2024-02-29T12:00:00Z", "2024-02-29T21:00:00+09:00", "2024-02-29T06:30:00-05:30",
        "2024-02-29T12:00:00.000000000Z",
    ])
    func timesComeInEveryOffset(_ text: String) {
        #expect(Google_Protobuf_Timestamp(rfc3339: text)?.seconds == 1_709_208_000)
    }

    @Test(arguments: [
        "", "2024-02-30T00:00:00Z", "2100-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z", "0000-12-31T23:59:59Z", "9999-12-31T23:59:59-00:01", "2024-1-1T00:00:00Z",
        "2024-01-01T00:00:00Zx",
    ])
    func otherTextIsNoTime(_ text: String) {
        #expect(Google_Protobuf_Timestamp(rfc3339: text) == nil)
    }

    @Test func everyDayComesBack() {
        for day in stride(from: Int64(-719_162), through: 2_932_896, by: 97) {
            let time = Google_Protobuf_Timestamp(seconds: day * 86400 + 3661)
            #expect(time.rfc3339.flatMap(Google_Protobuf_Timestamp.init(rfc3339:)) == time)
        }
    }

    @Test func timesConvert() {
        let time = Google_Protobuf_Timestamp(sinceEpoch: .milliseconds(-1500))
        #expect(time == Google_Protobuf_Timestamp(seconds: -2, nanos: 500_000_000))
        #expect(time.sinceEpoch == .milliseconds(-1500))
        #expect(time.microsecondsSinceEpoch == -1_500_000)
        #expect(Google_Protobuf_Timestamp(microsecondsSinceEpoch: -1_500_000) == time)
        #expect(Google_Protobuf_Timestamp(microsecondsSinceEpoch: -1_000_000).seconds == -1)
        #expect(Google_Protobuf_Duration(.milliseconds(-1500)) == .init(seconds: -1, nanos: -500_000_000))
        #expect(Google_Protobuf_Duration(seconds: -1, nanos: -500_000_000).duration == .milliseconds(-1500))
    }

    @Test func whatJSONCannotSayIsRefused() {
        #expect(throws: JSONError.self) { try WellKnown(timestamp: .init(seconds: .max)).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(timestamp: .init(nanos: -1)).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(duration: .init(seconds: .min)).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(duration: .init(seconds: 1, nanos: -1)).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(mask: .init(paths: ["aB"])).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(value: .init(kind: .numberValue(.nan))).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(value: .init()).jsonString() }
        #expect(throws: JSONError.self) { try WellKnown(any: .init(typeURL: "x/no.Such")).jsonString() }
        let lenient = JSONOptions(writesUnknownAnyAsBase64: true)
        #expect(
            (try? WellKnown(any: .init(typeURL: "x/no.Such", value: [1])).jsonString(options: lenient))
                == #"{"any":{"@type":"x/no.Such","@value":"AQ=="}}"#)
    }

    @Test func nestingIsLimited() {
        let deep = String(repeating: #"{"child":"#, count: 101) + "{}" + String(repeating: "}", count: 101)
        #expect(throws: JSONError.self) { try Node(json: deep) }
        let fine = String(repeating: #"{"child":"#, count: 99) + "{}" + String(repeating: "}", count: 99)
        #expect(throws: Never.self) { try Node(json: fine).jsonString() }
        let list = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try WellKnown(json: #"{"value":"# + list) }
        let lists = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(throws: JSONError.self) { try WellKnown(json: #"{"value":"# + lists + "}") }
        // An Any inside an Any, and so on: each level is decoded on its own.
        var any = Google_Protobuf_Any()
        for _ in 0..<200 { any = Google_Protobuf_Any(packing: any) }
        #expect(throws: JSONError.self) { try any.jsonString() }
    }

    @Test func prettyTextHasAMemberPerLine() throws {
        let text = try Repeated(int32: [1, 2], message: [Scalars()]).jsonString(options: JSONOptions(isPretty: true))
        #expect(
            text == """
                {
                  "int32": [
                    1,
                    2
                  ],
                  "message": [
                    {}
                  ]
                }
                """)
    }

    @Test func severalMessagesMayFollowEachOther() throws {
        let messages = try DynamicMessage.sequence(json: "{\"int32\":1}\n{\"int32\":2} {}", as: Scalars.schema)
        #expect(messages.map { $0["int32"] } == [.int32(1), .int32(2), nil])
    }
}
