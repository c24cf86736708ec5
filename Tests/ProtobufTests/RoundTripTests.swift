import Protobuf
import TestMessages
import Testing

@Suite struct RoundTripTests {
    @Test(arguments: Samples.all.indices)
    func everySampleComesBack(_ index: Int) throws {
        try comesBack(Samples.all[index])
    }

    private func comesBack<M: Message>(_ message: M) throws {
        let bytes = message.encoded()
        let decoded = try M(decoding: bytes)
        #expect(decoded == message)
        #expect(decoded.encoded() == bytes)
        #expect(decoded.unknownFieldBytes.isEmpty)
    }

    @Test func thePrefixIsReservedAndZero() throws {
        let message = Scalars(int32: 150)
        #expect(message.encoded(reserving: 5) == [0, 0, 0, 0, 0] + message.encoded())
        #expect(Empty().encoded(reserving: 5) == [0, 0, 0, 0, 0])
        #expect(Empty().encoded() == [])
    }

    @Test func decodingTakesSpansAndBuffers() throws {
        let message = Samples.scalars
        let bytes = message.encoded()
        #expect(try Scalars(decoding: bytes.span) == message)
        let copy = try unsafe bytes.withUnsafeBytes { try unsafe Scalars(decoding: $0) }
        #expect(copy == message)
    }

    @Test func mapsAreWrittenInTheOrderOfTheirKeys() {
        var message = Maps()
        for key in (0..<100).shuffled() { message.int32[Int32(key)] = 1 }
        var other = Maps()
        for key in (0..<100).shuffled() { other.int32[Int32(key)] = 1 }
        #expect(message.encoded() == other.encoded())
    }

    @Test func aLargeMessageComesBack() throws {
        var message = Repeated()
        for index in 0..<20_000 {
            message.message.append(Scalars(int64: Int64(index), string: "text \(index)"))
            message.string.append(String(repeating: "x", count: index % 50))
        }
        message.bytes = [[UInt8](repeating: 7, count: 1 << 20)]
        #expect(try Repeated(decoding: message.encoded()) == message)
    }
}

extension Message {
    /// The unknown fields of any message of the tests.
    var unknownFieldBytes: [UInt8] {
        for child in Mirror(reflecting: self).children {
            if let fields = child.value as? UnknownFields { return fields.bytes }
        }
        return []
    }
}
