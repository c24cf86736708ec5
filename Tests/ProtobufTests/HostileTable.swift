import Protobuf
import TestMessages

/// JSON and bytes on the edge of what is allowed, with what becomes of them here and in the Python library.
enum HostileTable {
    struct Row: Sendable {
        let type: any Message.Type
        let json: String
        let isAccepted: Bool
        /// Whether Python accepts it, too, and to the same effect.
        let agrees: Bool
    }

    struct BinaryRow: Sendable {
        let type: any Message.Type
        let bytes: [UInt8]
        let isAccepted: Bool
        let agrees: Bool
    }

    private static func rows(
        _ type: any Message.Type, _ isAccepted: Bool, agrees: Bool = true, _ texts: [String]
    ) -> [Row] {
        texts.map { Row(type: type, json: $0, isAccepted: isAccepted, agrees: agrees) }
    }

    static let json: [Row] = [
        // Integers.
        rows(
            Scalars.self, true,
            [
                #"{"int32":1.0}"#, #"{"int32":"1"}"#, #"{"int32":1e5}"#, #"{"int32":-0}"#, #"{"int32":2147483647.0}"#,
                #"{"int32":-2147483648}"#, #"{"uint32":4294967295}"#, #"{"int64":"-9223372036854775808"}"#,
                #"{"int64":-9223372036854775808}"#, #"{"uint64":18446744073709551615}"#, #"{"fixed64":"0"}"#,
            ]),
        rows(
            Scalars.self, false,
            [
                #"{"int32":0.5}"#, #"{"int32":"0.5"}"#, #"{"int32":2147483648}"#, #"{"int32":-2147483649}"#,
                #"{"uint32":4294967296}"#, #"{"uint32":-1}"#, #"{"int64":"9223372036854775808"}"#,
                #"{"uint64":"18446744073709551616"}"#, #"{"int32":"0x10"}"#, #"{"int32":"1 "}"#, #"{"int32":" 1"}"#,
                #"{"int32":""}"#, #"{"int32":"one"}"#, #"{"int32":01}"#, #"{"int32":.1}"#, #"{"int32":1.}"#,
                #"{"int32":+1}"#, #"{"int32":[1]}"#, #"{"int32":{}}"#, #"{"int32":true}"#, #"{"int32":0x1}"#,
                #"{"int32":1e}"#, #"{"int32":--1}"#, #"{"int32":1e10}"#, #"{"int32":Infinity}"#,
            ]),
        // The mapping allows exponents in strings as well, and no signs or digits that JSON does not know.
        rows(Scalars.self, true, [#"{"int32":"1e5"}"#, #"{"int32":"1.0"}"#]),
        rows(Scalars.self, false, agrees: false, [#"{"int32":"+1"}"#, #"{"int32":"\u0661"}"#, #"{"int32":"0_1"}"#]),
        // What Python's own habits let pass.
        rows(
            Scalars.self, false, agrees: false,
            [#"{"color":1.5}"#, #"{"color":true}"#, #"{"double":true}"#, "\"\"", "[]"]),
        rows(WellKnown.self, false, agrees: false, [#"{"duration":"1 s"}"#, #"{"value":NaN}"#]),
        rows(Names.self, false, agrees: false, [#"{"order_id":"1","orderId":"1"}"#]),
        // Booleans.
        rows(Scalars.self, true, [#"{"bool":true}"#, #"{"bool":false}"#, #"{"bool":null}"#]),
        rows(
            Scalars.self, false,
            [
                #"{"bool":"true"}"#, #"{"bool":0}"#, #"{"bool":1}"#, #"{"bool":""}"#, #"{"bool":True}"#,
                #"{"bool":truex}"#,
            ]),
        // Floating-point numbers.
        rows(
            Scalars.self, true,
            [
                #"{"double":1}"#, #"{"double":"1.5"}"#, #"{"double":"NaN"}"#, #"{"double":"Infinity"}"#,
                #"{"double":"-Infinity"}"#, #"{"double":1.7976931348623157e308}"#, #"{"double":5e-324}"#,
                #"{"double":-0.0}"#, #"{"float":3.4e38}"#, #"{"float":1e-50}"#, #"{"float":"-Infinity"}"#,
            ]),
        rows(
            Scalars.self, false,
            [
                #"{"double":"nan"}"#, #"{"double":1e400}"#, #"{"double":"1.5x"}"#, #"{"double":""}"#,
                #"{"double":"0x1p3"}"#, #"{"float":3.5e38}"#, #"{"float":-3.5e38}"#,
                #"{"double":{}}"#, #"{"double":1e+}"#,
            ]),
        // Text.
        rows(
            Scalars.self, true,
            [
                #"{"string":""}"#, #"{"string":"\u00e9\ud83d\ude00\/\b\f\n\r\t\\\""}"#,
                "{\"string\":\"\u{7f}\u{2028}\"}",
                #"{"string":"\uFFFF"}"#,
            ]),
        rows(
            Scalars.self, false,
            [
                #"{"string":"\ud800"}"#, #"{"string":"\udc00x"}"#, #"{"string":"\ud800\ud800"}"#, #"{"string":1}"#,
                #"{"string":"\x41"}"#, #"{"string":"\u12"}"#, "{\"string\":\"\n\"}", "{\"string\":\"\u{1}\"}",
                #"{"string":"a}"#, #"{"string":'a'}"#, #"{"string":"\u00zz"}"#, #"{"string":["a"]}"#,
            ]),
        // NUL is refused wherever text is.
        rows(Scalars.self, false, agrees: false, [#"{"string":"\u0000"}"#]),
        // Bytes.
        rows(
            Scalars.self, true,
            [
                #"{"bytes":"AQ=="}"#, #"{"bytes":"AQ"}"#, #"{"bytes":"-_8="}"#, #"{"bytes":"+/8"}"#, #"{"bytes":""}"#,
            ]),
        rows(Scalars.self, false, [#"{"bytes":"A"}"#, #"{"bytes":1}"#, #"{"bytes":[1]}"#]),
        // Enums.
        rows(
            Scalars.self, true,
            [
                #"{"color":"COLOR_RED"}"#, #"{"color":1}"#, #"{"color":12345}"#, #"{"color":-1}"#, #"{"color":null}"#,
            ]),
        rows(
            Scalars.self, false,
            [
                #"{"color":"RED"}"#, #"{"color":"color_red"}"#, #"{"color":""}"#,
                #"{"color":2147483648}"#, #"{"color":[]}"#,
            ]),
        // Names.
        rows(Names.self, true, [#"{"orderId":"1"}"#, #"{"order_id":"1"}"#, #"{"renamed":"1"}"#, #"{"other":"1"}"#]),
        rows(
            Names.self, false,
            [
                #"{"orderID":"1"}"#, #"{"OrderId":"1"}"#, #"{"":1}"#,
                #"{"x1":"1","x1":"1"}"#,
            ]),
        // Oneofs.
        rows(
            Choices.self, true,
            [#"{"number":0}"#, #"{"number":null,"text":"t"}"#, #"{"message":{}}"#, #"{"message":null}"#]),
        rows(Choices.self, false, [#"{"number":1,"text":"t"}"#, #"{"text":"t","data":""}"#, #"{"choice":1}"#]),
        // Lists and maps.
        rows(
            Repeated.self, true,
            [#"{"int32":[]}"#, #"{"int32":null}"#, #"{"int32":[1,"2",3.0]}"#, #"{"message":[{}]}"#]),
        rows(
            Repeated.self, false,
            [
                #"{"int32":1}"#, #"{"int32":[null]}"#, #"{"int32":[1,]}"#, #"{"int32":[[1]]}"#, #"{"message":[null]}"#,
                #"{"int32":{"0":1}}"#, #"{"message":[1]}"#,
            ]),
        rows(
            Maps.self, true,
            [
                #"{"int32":{}}"#, #"{"int32":{"-1":"1"}}"#, #"{"bool":{"true":false}}"#, #"{"string":{"":""}}"#,
                #"{"message":{"a":{}}}"#, #"{"uint64":{"18446744073709551615":1}}"#, #"{"int32":null}"#,
            ]),
        rows(
            Maps.self, false,
            [
                #"{"int32":[]}"#, #"{"int32":{"a":1}}"#, #"{"int32":{"1":null}}"#, #"{"bool":{"1":true}}"#,
                #"{"bool":{"True":true}}"#, #"{"int32":{"2147483648":1}}"#, #"{"int32":{"1":1,"1":1}}"#,
                #"{"message":{"a":null}}"#, #"{"int32":{1:1}}"#,
            ]),
        // Times.
        rows(
            WellKnown.self, true,
            [
                #"{"timestamp":"1970-01-01T00:00:00Z"}"#, #"{"timestamp":"0001-01-01T00:00:00Z"}"#,
                #"{"timestamp":"9999-12-31T23:59:59.999999999Z"}"#, #"{"timestamp":"1970-01-01T01:30:00+01:30"}"#,
                #"{"timestamp":"2016-02-29T00:00:00.5-08:00"}"#, #"{"timestamp":null}"#,
            ]),
        rows(
            WellKnown.self, false,
            [
                #"{"timestamp":""}"#, #"{"timestamp":0}"#, #"{"timestamp":"1970-01-01"}"#,
                #"{"timestamp":"1970-01-01T00:00:00"}"#, #"{"timestamp":"1970-01-01t00:00:00Z"}"#,
                #"{"timestamp":"1970-01-01T00:00:00z"}"#, #"{"timestamp":"1970-13-01T00:00:00Z"}"#,
                #"{"timestamp":"2015-02-29T00:00:00Z"}"#, #"{"timestamp":"0000-01-01T00:00:00Z"}"#,
                #"{"timestamp":"10000-01-01T00:00:00Z"}"#, #"{"timestamp":"0001-01-01T00:00:00+23:59"}"#,
                #"{"timestamp":"1970-01-01T00:00:00.1234567890Z"}"#, #"{"timestamp":"1970-01-01T00:00:00ZZ"}"#,
            ]),
        rows(
            WellKnown.self, true,
            [
                #"{"duration":"1s"}"#, #"{"duration":"-1.5s"}"#, #"{"duration":"0.000000001s"}"#,
                #"{"duration":"-0.5s"}"#, #"{"duration":"315576000000s"}"#, #"{"duration":"-315576000000s"}"#,
            ]),
        rows(
            WellKnown.self, false,
            [
                #"{"duration":""}"#, #"{"duration":"1"}"#, #"{"duration":"s"}"#, #"{"duration":1}"#,
                #"{"duration":"1S"}"#, #"{"duration":"1m"}"#, #"{"duration":"--1s"}"#,
                #"{"duration":"315576000001s"}"#, #"{"duration":"-315576000001s"}"#, #"{"duration":"1e3s"}"#,
                #"{"duration":"NaNs"}"#, #"{"duration":"0x1s"}"#,
            ]),
        // Masks, structures, wrappers.
        rows(WellKnown.self, true, [#"{"mask":""}"#, #"{"mask":"a"}"#, #"{"mask":"aB.cD,e"}"#]),
        rows(WellKnown.self, false, [#"{"mask":"a_b"}"#, #"{"mask":1}"#, #"{"mask":["a"]}"#]),
        rows(
            WellKnown.self, true,
            [
                #"{"value":null}"#, #"{"value":[{"a":[null,1,"x",true,{}]}]}"#, #"{"structure":{"a":null}}"#,
                #"{"list":[]}"#, #"{"null":null}"#, #"{"chosenNull":null}"#, #"{"structure":null}"#,
                #"{"values":{"a":null}}"#,
            ]),
        rows(
            WellKnown.self, false,
            [
                #"{"structure":[]}"#, #"{"list":{}}"#, #"{"structure":1}"#, #"{"value":}"#,
                #"{"structure":{"a":1,"a":2}}"#,
            ]),
        rows(
            WellKnown.self, true,
            [#"{"int64":"5"}"#, #"{"int64":null}"#, #"{"string":""}"#, #"{"bytes":"AQ"}"#, #"{"double":"NaN"}"#]),
        rows(
            WellKnown.self, false,
            [#"{"int64":{"value":5}}"#, #"{"bool":"true"}"#, #"{"int64":[]}"#, #"{"int64":1.5}"#]),
        // Any.
        rows(
            WellKnown.self, true,
            [
                #"{"any":{}}"#, #"{"any":{"@type":"type.googleapis.com/test.Scalars","int32":1}}"#,
                #"{"any":{"int32":1,"@type":"a/b/test.Scalars"}}"#,
                #"{"any":{"value":"1s","@type":"type.googleapis.com/google.protobuf.Duration"}}"#,
                #"{"any":{"@type":"x/google.protobuf.Any","value":{"@type":"x/google.protobuf.Empty"}}}"#,
                #"{"any":{"@type":"type.googleapis.com/google.protobuf.Empty"}}"#,
                #"{"any":{"@type":"x/google.protobuf.Value","value":null}}"#,
            ]),
        // As Go writes it.
        rows(WellKnown.self, true, agrees: false, [#"{"any":{"@type":"x/google.protobuf.Empty","value":{}}}"#]),
        rows(
            WellKnown.self, false,
            [
                #"{"any":{"int32":1}}"#, #"{"any":{"@type":"type.googleapis.com/no.Such"}}"#, #"{"any":{"@type":1}}"#,
                #"{"any":{"@type":""}}"#, #"{"any":[]}"#,
                #"{"any":{"@type":"type.googleapis.com/test.Scalars","no":1}}"#,
                #"{"any":{"@type":"x/google.protobuf.Duration"}}"#,
                #"{"any":{"@type":"x/google.protobuf.Duration","value":"1"}}"#,
                #"{"any":{"@type":"x/test.Scalars","@type":"x/test.Scalars"}}"#,
            ]),
        // The text as a whole.
        rows(Scalars.self, true, ["{}", " \n\t\r{ } \n", #"{"message":null}"#].filter { !$0.contains("message") }),
        rows(
            Scalars.self, false,
            [
                "", " ", "null", "1", "[{}]", "{", "}", "{}{}", "{},", "{} x", "{,}", "{/**/}", "{}//",
                #"{"int32"}"#, #"{"int32":}"#, #"{"int32":1,}"#, #"{"int32" 1}"#, #"{int32:1}"#, #"{'int32':1}"#,
                #"{"int32":1 "bool":true}"#, #"{"int32":1;}"#, "{\"int32\":\u{a0}1}", "\0", "{\"int32\":1\0}", "nul",
                #"{"no":1}"#, #"{"1":1}"#, #"{"[test.extension]":1}"#,
            ]),
    ].flatMap(\.self)

    private static func rows(
        _ type: any Message.Type, _ isAccepted: Bool, agrees: Bool = true, bytes: [[UInt8]]
    ) -> [BinaryRow] {
        bytes.map { BinaryRow(type: type, bytes: $0, isAccepted: isAccepted, agrees: agrees) }
    }

    static let binary: [BinaryRow] = [
        // The last of several wins; a default without presence counts as absent; order is free.
        rows(
            Scalars.self, true,
            bytes: [
                [], [0x18, 1, 0x18, 2], [0x18, 1, 0x18, 0], [0x68, 1, 0x18, 5], [0x68, 0],
                // A varint may be longer than needed, and more than its type holds is cut.
                [0x18, 0x81, 0], [0x18, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
                [0x18, 0xff, 0xff, 0xff, 0xff, 0x1f], [0x28, 0x80, 0x80, 0x80, 0x80, 0x10], [0x68, 2],
                [0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                // The tag may be longer, too.
                [0x98, 0x00, 7], [0x98, 0x80, 0x80, 0x80, 0x00, 7],
                // Unknown fields of every wire type.
                [0xc0, 0x3e, 5], [0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8], [0xc2, 0x3e, 1, 0], [0xc5, 0x3e, 1, 2, 3, 4],
                [0xfa, 0xff, 0xff, 0xff, 0x0f, 0],
            ]),
        rows(
            Scalars.self, false,
            bytes: [
                // The number 0, and wire types that there are not.
                [0x00, 0], [0x02, 0], [0x05, 0, 0, 0, 0], [0x1e], [0x1f],
                // Cut short: tag, varint, length, text, fixed numbers; a length beyond all.
                [0x98], [0x18], [0x18, 0x80], [0x72], [0x72, 2, 0x61], [0x4d, 1, 2, 3], [0x09, 1, 2, 3, 4, 5, 6, 7],
                [0x72, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x7a, 0x80], [0xc2, 0x3e, 9],
                // A varint that does not end in ten bytes.
                [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                // Text that is not UTF-8: overlong, a surrogate, cut, beyond the last.
                [0x72, 2, 0xc0, 0x80], [0x72, 3, 0xed, 0xa0, 0x80], [0x72, 1, 0xff], [0x72, 3, 0xf0, 0x9f, 0x98],
                [0x72, 4, 0xf4, 0x90, 0x80, 0x80],
                // Groups that do not match.
                [0x1c], [0xc3, 0x3e], [0xc3, 0x3e, 0xcc, 0x3e],
            ]),
        // Stricter than others, on purpose: NUL in text, a known field with another wire type, groups.
        rows(
            Scalars.self, false, agrees: false,
            bytes: [
                [0x72, 1, 0], [0x1d, 1, 0, 0, 0], [0x70, 1], [0x1a, 1, 1], [0xc3, 0x3e, 0xc4, 0x3e], [0x1b, 0x1c],
            ]),
        // Packed and not packed, each where the other is declared; in pieces; empty.
        rows(
            Repeated.self, true,
            bytes: [
                [0x1a, 3, 1, 2, 3], [0x18, 1, 0x18, 2], [0x1a, 1, 1, 0x18, 2, 0x1a, 1, 3], [0x1a, 0],
                [0x92, 0x01, 2, 1, 2], [0x90, 0x01, 1], [0x0a, 16] + [UInt8](repeating: 0, count: 16), [0x6a, 2, 0, 1],
                [0x82, 0x01, 2, 1, 99],
            ]),
        rows(
            Repeated.self, false,
            bytes: [[0x1a, 1, 0x80], [0x0a, 7, 0, 0, 0, 0, 0, 0, 0], [0x4a, 3, 0, 0, 0], [0x1a, 2, 1]]),
        rows(Repeated.self, true, bytes: [[0x6a, 1, 2], [0x6a, 2, 0x80, 1], [0x6a, 3, 1, 0xff, 1]]),
        // Entries of maps: empty, without key, without value, keys twice, more than key and value.
        rows(
            Maps.self, true,
            bytes: [
                [0x0a, 0], [0x0a, 2, 0x08, 1], [0x0a, 2, 0x10, 1],
                [0x0a, 4, 0x08, 1, 0x10, 2, 0x0a, 4, 0x08, 1, 0x10, 3],
                [0x0a, 4, 0x10, 2, 0x08, 1], [0x0a, 6, 0x08, 1, 0x10, 2, 0x08, 3], [0x7a, 0],
            ]),
        rows(Maps.self, false, bytes: [[0x0a, 2, 0x08], [0x0a, 1, 0x08], [0x0a, 5, 0x08, 1, 0x10, 2]]),
        // Messages that come in pieces are merged, oneofs go to the last.
        rows(
            Node.self, true,
            bytes: [
                [0x12, 3, 0x0a, 1, 0x61, 0x12, 0], [0x12, 3, 0x0a, 1, 0x61, 0x12, 5, 0x12, 3, 0x0a, 1, 0x62],
                [0x2a, 0, 0x32, 1, 0x61], [0x32, 1, 0x61, 0x2a, 0], [0x32, 0],
            ]),
        // A message in a oneof that comes in pieces is replaced, not merged.
        rows(Node.self, true, agrees: false, bytes: [[0x2a, 3, 0x0a, 1, 0x61, 0x2a, 0]]),
    ].flatMap(\.self)
}
