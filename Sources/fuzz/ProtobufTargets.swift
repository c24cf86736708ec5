internal import Protobuf
internal import TestMessages

extension FuzzTarget {
    /// The first byte of an input says which of these it is.
    private static let types: [any Message.Type] = [
        Scalars.self, Optionals.self, Repeated.self, Maps.self, Choices.self, Node.self, WellKnown.self,
        Google_Protobuf_Struct.self, Google_Protobuf_Any.self, GoogleRPCStatus.self,
        Google_Protobuf_FileDescriptorSet.self,
    ]

    private static func type(number: UInt8) -> any Message.Type { types[Int(number) % types.count] }

    /// One empty message of each type, as the start of every search; and `more`.
    private static func seeds(empty: String, _ more: [(type: any Message.Type, text: String)]) -> [[UInt8]] {
        types.indices.map { [UInt8($0)] + Array(empty.utf8) } + more.map { seed($0.type, Array($0.text.utf8)) }
    }

    private static func seed(_ message: some Message) -> [UInt8] { seed(Swift.type(of: message), message.encoded()) }

    private static func seed(_ type: any Message.Type, _ bytes: [UInt8]) -> [UInt8] {
        [UInt8(types.firstIndex { $0 == type } ?? 0)] + bytes
    }

    /// Generated and dynamic messages accept the same bytes, mean the same by them, and write what reads the same.
    static let protobuf = FuzzTarget(
        "protobuf",
        seeds: seeds(empty: "", []) + [
            seed(Scalars(double: 1, int32: -1, uint64: .max, sint64: .min, string: "é")),
            seed(Repeated(double: [1], int64: [0, -1], string: ["", "a"], message: [Scalars()])),
            seed(Maps(int32: [1: 2], string: ["k": "v"], message: ["m": Scalars(bool: true)])),
            seed(Choices(before: 1, choice: .text("t"), second: .right(""))),
            seed(Node(child: Node(children: [Node(name: "c")]), pair: Pair(left: Node()))),
        ]
    ) { bytes in
        guard let first = bytes.first else { return }
        check(type(number: first), Array(bytes.dropFirst()))
    }

    private static func check<M: Message>(_ type: M.Type, _ bytes: [UInt8]) {
        let dynamic = try? DynamicMessage(decoding: bytes, as: M.schema)
        guard let message = try? M(decoding: bytes) else {
            return hold(dynamic == nil, "only dynamic messages accept it")
        }
        guard let dynamic else { return hold(false, "only generated messages accept it") }
        let again = message.encoded()
        hold(dynamic.encoded() == again, "both write the same")
        guard let twice = try? M(decoding: again) else { return hold(false, "what was written is accepted") }
        hold(twice.encoded() == again, "what was accepted comes again")
    }

    /// What is accepted can be written, and means the same when it is read again. Bytes that can be written as JSON
    /// can be read from it.
    static let json = FuzzTarget(
        "json",
        seeds: seeds(
            empty: "{}",
            [
                (Scalars.self, #"{"double":1.5e3,"int64":"-9","string":"\u00e9","bytes":"AAE","color":"RED"}"#),
                (Maps.self, #"{"int32":{"1":2},"bool":{"true":false},"message":{"m":{"float":"NaN"}}}"#),
                (WellKnown.self, #"{"timestamp":"2024-02-29T12:00:00.5Z","duration":"-1.5s","mask":"a,b.c"}"#),
                (Google_Protobuf_Struct.self, #"{"a":[null,true,1,"x",{"b":{}}]}"#),
                (Google_Protobuf_Any.self, #"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}"#),
            ])
    ) { bytes in
        guard let first = bytes.first else { return }
        let schema = type(number: first).schema
        let rest = Array(bytes.dropFirst())
        if let wire = try? DynamicMessage(decoding: rest, as: schema), let text = try? wire.jsonString() {
            checkJSON(text, as: schema)
        }
        guard let text = String(validating: rest, as: UTF8.self),
            let message = try? DynamicMessage(json: text, as: schema)
        else { return }
        guard let again = try? message.jsonString() else { return hold(false, "what was accepted can be written") }
        checkJSON(again, as: schema)
        guard let wire = try? DynamicMessage(decoding: message.encoded(), as: schema) else {
            return hold(false, "what was accepted goes over the wire")
        }
        hold((try? wire.jsonString()) == again, "the wire changes nothing")
    }

    private static func checkJSON(_ text: String, as schema: MessageSchema) {
        guard let message = try? DynamicMessage(json: text, as: schema) else {
            return hold(false, "what was written is accepted: \(text)")
        }
        hold((try? message.jsonString()) == text, "what was written comes again: \(text)")
    }

    /// As JSON.
    static let textFormat = FuzzTarget(
        "text-format",
        seeds: seeds(
            empty: "",
            [
                (Scalars.self, #"double: -inf int64: 0x7f string: "\303\251" 'b' bytes: "\x00" color: RED # end"#),
                (Maps.self, #"int32 { key: 1 value: 2 } message: <key: "m" value { float: 1.5f }>"#),
                (Repeated.self, #"int32: [1, -2] string: ["a", "b"]; message { bool: true }, message {}"#),
                (Google_Protobuf_Any.self, #"[type.googleapis.com/google.protobuf.Duration] { seconds: 1 }"#),
            ])
    ) { bytes in
        guard let first = bytes.first else { return }
        let schema = type(number: first).schema
        let rest = Array(bytes.dropFirst())
        if let wire = try? DynamicMessage(decoding: rest, as: schema), let text = try? wire.textFormat() {
            checkText(text, as: schema)
        }
        guard let text = String(validating: rest, as: UTF8.self),
            let message = try? DynamicMessage(text: text, as: schema)
        else { return }
        guard let again = try? message.textFormat() else { return hold(false, "what was accepted can be written") }
        checkText(again, as: schema)
    }

    private static func checkText(_ text: String, as schema: MessageSchema) {
        guard let message = try? DynamicMessage(text: text, as: schema) else {
            return hold(false, "what was written is accepted: \(text)")
        }
        hold((try? message.textFormat()) == text, "what was written comes again: \(text)")
    }
}
