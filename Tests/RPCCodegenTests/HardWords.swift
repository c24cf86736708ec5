/// A `.proto` file whose names are words that Swift, or the generated code, has a use for: as a field with and without
/// presence, a member of a oneof, a oneof, an enum value, a message inside another and outside, and a method.
enum HardWords: CaseIterable {
    /// Everything but types outside messages.
    case inside
    /// Types outside messages, and what methods take and give.
    case outside

    var proto: String {
        switch self {
        case .inside: Self.insideProto
        case .outside: Self.outsideProto
        }
    }

    private static let words = """
        associatedtype class deinit enum extension fileprivate func import init inout internal let open operator private
        precedencegroup protocol public rethrows return static struct subscript super switch throw throws true try
        typealias var where while as any await async actor borrowing break case catch consume consuming continue
        convenience copy default defer discard distributed do dynamic each else fallthrough false final for get guard if
        in indirect infix is isolated lazy left macro mutating nil none nonisolated optional override package postfix
        precedence prefix repeat required right self Type sending set some then unowned unsafe weak yield Value
        view builder schema fields hash description encoded merge write read store json_string unknown_fields raw_value
        all_cases unrecognized hash_value is_protobuf_default number debug_description Swift Protobuf RPCCore String Int32
        Bool Double Float UInt8 Void Hashable Sendable CaseIterable Equatable Array Dictionary Error Result Never Returned
        Message context request requests responses options channel body service register metadata
        """.split { $0 == " " || $0 == "\n" }

    private static let insideProto: String = {
        var text = "syntax = \"proto3\";\npackage hard;\noption swift_prefix = \"\";\n"
        func list(_ head: String, _ tail: String = "}", _ line: (Int, Substring) -> String) {
            text += head + "\n" + words.enumerated().map { "  " + line($0, $1) + "\n" }.joined() + tail + "\n"
        }
        list("message PlainWords {") { "string \($1) = \($0 + 1);" }
        list("message OptionalWords {") { "optional PlainWords \($1) = \($0 + 1);" }
        list("message ChoiceWords { oneof choice {", "} }") { "string \($1) = \($0 + 1);" }
        list("message OneofWords {") {
            "oneof \($1) { string a\($0) = \(2 * $0 + 1); PlainWords b\($0) = \(2 * $0 + 2); }"
        }
        list("enum ValueWords {") { "\($1) = \($0);" }
        list("message TypeWords {") {
            """
            message \($1) { .hard.TypeWords.\($1) own = 1; map<string, .hard.TypeWords.\($1)> named = 2; }
            repeated .hard.TypeWords.\($1) f\($0) = \($0 + 1);
            """
        }
        list("service MethodWords {") { index, word in
            let (sent, received) = (index % 2 == 1 ? "stream " : "", index % 4 > 1 ? "stream " : "")
            return "rpc \(word)(\(sent)PlainWords) returns (\(received)ChoiceWords);"
        }
        return text
    }()

    private static let outsideProto: String = {
        var text = "syntax = \"proto3\";\npackage outer;\noption swift_prefix = \"\";\n"
        for word in words { text += "message \(word) { .outer.\(word) own = 1; }\n" }
        text += "service OuterWords {\n"
        for (index, word) in words.enumerated() {
            let (sent, received) = (index % 2 == 1 ? "stream " : "", index % 4 > 1 ? "stream " : "")
            text += "  rpc M\(index)(\(sent).outer.\(word)) returns (\(received).outer.\(word));\n"
        }
        return text + "}\n"
    }()
}
