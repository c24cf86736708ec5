import Protobuf
import TestMessages
import Testing

/// Bytes worked out by hand from the protobuf encoding guide.
@Suite struct WireFormatTests {
    @Test(
        arguments: [
            (Scalars(int32: 150), [0x18, 0x96, 0x01]),
            (Scalars(int32: -1), [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            (Scalars(int64: -2), [0x20, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            (Scalars(uint64: .max), [0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            (Scalars(sint32: -1), [0x38, 0x01]),
            (Scalars(sint32: .min), [0x38, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            (Scalars(sint64: 1), [0x40, 0x02]),
            (Scalars(fixed32: 1), [0x4d, 1, 0, 0, 0]),
            (Scalars(fixed64: 1), [0x51, 1, 0, 0, 0, 0, 0, 0, 0]),
            (Scalars(sfixed32: -1), [0x5d, 0xff, 0xff, 0xff, 0xff]),
            (Scalars(double: 1), [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
            (Scalars(double: -0.0), [0x09, 0, 0, 0, 0, 0, 0, 0, 0x80]),
            (Scalars(float: 1), [0x15, 0, 0, 0x80, 0x3f]),
            (Scalars(bool: true), [0x68, 0x01]),
            (Scalars(string: "testing"), [0x72, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]),
            (Scalars(bytes: [0, 1]), [0x7a, 0x02, 0x00, 0x01]),
            (Scalars(color: .red), [0x80, 0x01, 0x01]),
        ] as [(Scalars, [UInt8])])
    func scalars(_ message: Scalars, areEncodedAs bytes: [UInt8]) throws {
        #expect(message.encoded() == bytes)
        #expect(try Scalars(decoding: bytes) == message)
    }

    @Test func presenceIsKept() throws {
        #expect(Optionals(int32: 0).encoded() == [0x18, 0x00])
        #expect(Optionals(string: "").encoded() == [0x72, 0x00])
        #expect(Optionals(message: Scalars()).encoded() == [0x8a, 0x01, 0x00])
        #expect(try Optionals(decoding: [0x72, 0x00]) == Optionals(string: ""))
        #expect(try Optionals(decoding: []) == Optionals())
    }

    @Test func numbersArePackedOutAndTakenBothWays() throws {
        #expect(Repeated(int32: [3, 270, 86942]).encoded() == [0x1a, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05])
        #expect(Repeated(notPacked: [1, 2]).encoded() == [0x90, 0x01, 0x01, 0x90, 0x01, 0x02])
        let expected = Repeated(int32: [3, 270])
        #expect(try Repeated(decoding: [0x18, 0x03, 0x18, 0x8e, 0x02]) == expected)
        #expect(try Repeated(decoding: [0x1a, 0x01, 0x03, 0x18, 0x8e, 0x02]) == expected)
        #expect(try Repeated(decoding: [0x92, 0x01, 0x02, 0x01, 0x02]) == Repeated(notPacked: [1, 2]))
    }

    @Test func mapEntriesMayLackKeyOrValueAndTheLastWins() throws {
        #expect(try Maps(decoding: [0x0a, 0x00]) == Maps(int32: [0: 0]))
        #expect(try Maps(decoding: [0x0a, 0x02, 0x08, 0x05]) == Maps(int32: [5: 0]))
        #expect(try Maps(decoding: [0x0a, 0x02, 0x10, 0x05]) == Maps(int32: [0: 5]))
        let twice: [UInt8] = [0x0a, 0x04, 0x08, 0x01, 0x10, 0x01, 0x0a, 0x04, 0x08, 0x01, 0x10, 0x02]
        #expect(try Maps(decoding: twice) == Maps(int32: [1: 2]))
        #expect(Maps(int32: [1: 0]).encoded() == [0x0a, 0x04, 0x08, 0x01, 0x10, 0x00])
    }

    @Test func theLastMemberOfAOneofWins() throws {
        let bytes = Choices(choice: .text("first")).encoded() + Choices(choice: .number(5)).encoded()
        #expect(try Choices(decoding: bytes) == Choices(choice: .number(5)))
        let messages = Choices(choice: .message(Samples.scalars)).encoded() + Choices(choice: .data([1])).encoded()
        #expect(try Choices(decoding: messages) == Choices(choice: .data([1])))
    }

    @Test func aFieldGivenTwiceTakesTheLastValue() throws {
        let bytes = Scalars(int32: 1, string: "a").encoded() + Scalars(int32: 2, string: "b").encoded()
        #expect(try Scalars(decoding: bytes) == Scalars(int32: 2, string: "b"))
    }

    @Test func aMessageGivenTwiceIsMerged() throws {
        var first = Optionals(message: Scalars(int32: 1, string: "kept"))
        first.int32 = 1
        let second = Optionals(string: "", message: Scalars(int32: 2, bool: true))
        let merged = try Optionals(decoding: first.encoded() + second.encoded())
        #expect(merged == Optionals(int32: 1, string: "", message: Scalars(int32: 2, bool: true, string: "kept")))
        // Also what protobuf-c's own merge gets wrong: presence of empty values, oneofs that are not set, depth.
        let earlier = Node(child: Node(name: "n", children: [Node(name: "1")], link: .address("")))
        let later = Node(child: Node(child: Node(), children: [Node(name: "2")]))
        #expect(
            try Node(decoding: earlier.encoded() + later.encoded())
                == Node(
                    child: Node(
                        name: "n", child: Node(), children: [Node(name: "1"), Node(name: "2")], link: .address(""))))
    }

    @Test func unknownFieldsAreKeptAndSentOn() throws {
        let wide = Samples.scalars.encoded()
        let narrow = try Narrow(decoding: wide)
        #expect(narrow.int32 == Samples.scalars.int32)
        #expect(narrow.string == Samples.scalars.string)
        #expect(!narrow.unknownFields.isEmpty)
        #expect(try Scalars(decoding: narrow.encoded()) == Samples.scalars)
        #expect(try Narrow(decoding: narrow.encoded()) == narrow)
        // Inside other messages as well.
        let tree = Node(child: Node(name: "x")).encoded()
        let empty = try Empty(decoding: tree)
        #expect(empty.encoded() == tree)
        #expect(empty != Empty())
    }

    @Test func unknownEnumValuesAreKept() throws {
        let message = Scalars(color: .unrecognized(12345))
        #expect(try Scalars(decoding: message.encoded()).color == .unrecognized(12345))
        #expect(Color(rawValue: 1) == .red)
        #expect(Color.unrecognized(1) == .red)
        #expect(Aliased.uno == .one)
        #expect(Color.allCases == [.unspecified, .red, .green, .negative])
    }

    @Test func fieldsAreWrittenInTheOrderOfTheirNumbers() throws {
        let bytes = Samples.sparse.encoded()
        #expect(bytes.prefix(6) == [0x0a, 0x01, 0x66, 0x12, 0x01, 0x73])
        #expect(bytes.suffix(7) == [0xfa, 0xff, 0xff, 0xff, 0x0f, 0x01, 0x6c])
    }
}
