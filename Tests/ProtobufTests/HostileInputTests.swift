import Protobuf
import TestMessages
import Testing

@Suite struct HostileInputTests {
    @Test func inputCutAnywhereNeverTraps() throws {
        for sample in Samples.all { cutEverywhere(sample) }
    }

    private func cutEverywhere<M: Message>(_ message: M) {
        let bytes = message.encoded()
        for length in 0..<bytes.count {
            let cut = Array(bytes[..<length])
            // A cut between two fields leaves a valid message; what it holds then comes back.
            if let decoded = try? M(decoding: cut) {
                #expect(throws: Never.self) { try M(decoding: decoded.encoded()) }
            }
        }
    }

    @Test(arguments: [1, 2, 3])
    func randomBytesNeverTrap(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            decodeAll(bytes)
        }
    }

    @Test(arguments: [11, 12, 13])
    func flippedBytesNeverTrap(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        for sample in Samples.all {
            let bytes = sample.encoded()
            guard !bytes.isEmpty else { continue }
            for _ in 0..<300 {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                decodeAll(changed)
            }
        }
    }

    /// Decodes as every type, and passes on what is accepted.
    private func decodeAll(_ bytes: [UInt8]) {
        decode(Scalars.self, bytes)
        decode(Optionals.self, bytes)
        decode(Repeated.self, bytes)
        decode(Maps.self, bytes)
        decode(Choices.self, bytes)
        decode(Node.self, bytes)
        decode(Names.self, bytes)
        decode(Sparse.self, bytes)
        decode(Empty.self, bytes)
        decode(Google_Protobuf_FileDescriptorSet.self, bytes)
    }

    private func decode<M: Message>(_ type: M.Type, _ bytes: [UInt8]) {
        guard let message = try? M(decoding: bytes) else { return }
        let again = message.encoded()
        #expect((try? M(decoding: again).encoded()) == again, "\(type) \(bytes)")
    }

    @Test(
        arguments: [
            [0xff], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],  // no end of the tag
            [0x72], [0x72, 0x05, 0x61],  // text cut short
            [0x72, 0xff, 0xff, 0xff, 0xff, 0x0f],  // 4 GiB of text
            [0x72, 0xff, 0xff, 0xff, 0xff, 0x07], [0x72, 0xfb, 0xff, 0xff, 0xff, 0x0f],
            [0x72, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],  // 11 bytes of varint
            [0x1b, 0x1c],  // a group
            [0x0e], [0x0f],  // wire types that do not exist
            [0x1d, 1, 0, 0, 0],  // int32 as a fixed32
            [0x70, 0x01],  // text as a varint
        ] as [[UInt8]])
    func malformedBytesAreRefused(_ bytes: [UInt8]) {
        #expect(throws: ProtobufError.malformed(message: "test.Scalars")) { try Scalars(decoding: bytes) }
    }

    @Test(
        arguments: [
            [0xff], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0x61, 0x80],
        ] as [[UInt8]])
    func invalidUTF8IsRefused(_ text: [UInt8]) {
        let bytes = [0x72, UInt8(text.count)] + text
        #expect(throws: ProtobufError.invalidUTF8(field: "test.Scalars.string")) { try Scalars(decoding: bytes) }
        #expect(throws: ProtobufError.invalidUTF8(field: "test.Repeated.string")) { try Repeated(decoding: bytes) }
        let entry = [0x62, UInt8(text.count + 2), 0x0a, UInt8(text.count)] + text
        #expect(throws: ProtobufError.invalidUTF8(field: "test.Maps.string.key")) { try Maps(decoding: entry) }
        let member = [0x1a, UInt8(text.count)] + text
        #expect(throws: ProtobufError.invalidUTF8(field: "test.Choices.text")) { try Choices(decoding: member) }
        #expect(throws: Never.self) { try Scalars(decoding: [0x7a, UInt8(text.count)] + text) }
    }

    @Test func embeddedNULIsRefused() {
        for text in [[0], [0x61, 0], [0, 0x61], [0x61, 0, 0x62]] as [[UInt8]] {
            let bytes = [0x72, UInt8(text.count)] + text
            #expect(throws: ProtobufError.embeddedNUL(field: "test.Scalars.string")) { try Scalars(decoding: bytes) }
        }
    }

    @Test(arguments: [0, 1, 99, 100])
    func nestingUpToTheLimitIsAccepted(_ levels: Int) throws {
        let node = try Node(decoding: Self.nested(levels))
        #expect(node.encoded() == Self.nested(levels))
        #expect(throws: Never.self) { try Node(decoding: Self.nested(levels, byField: 3)) }
        #expect(throws: Never.self) { try Node(decoding: Self.nested(levels, byField: 5)) }
    }

    @Test(arguments: [101, 102, 1000, 20_000, 200_000])
    func deeperNestingIsRefused(_ levels: Int) {
        let error = ProtobufError.nestedTooDeep(message: "test.Node", limit: 100)
        for field in [2, 3, 5] as [UInt8] {
            #expect(throws: error) { try Node(decoding: Self.nested(levels, byField: field)) }
        }
        // Also behind other fields, and through a map.
        #expect(throws: error) { try Node(decoding: Node(name: "x").encoded() + Self.nested(levels)) }
        #expect(throws: error) { try Node(decoding: Self.nested(levels, byField: 4)) }
    }

    @Test func theLimitCanBeLowered() {
        let limits = DecodingLimits(nesting: 3)
        #expect(throws: Never.self) { try Node(decoding: Self.nested(3), limits: limits) }
        #expect(throws: ProtobufError.nestedTooDeep(message: "test.Node", limit: 3)) {
            try Node(decoding: Self.nested(4), limits: limits)
        }
    }

    @Test func unfoldingIsBounded() throws {
        // Two bytes of input for each message of several hundred bytes.
        let bytes = [[UInt8]](repeating: [0x8a, 0x01, 0x00], count: 300_000).flatMap { $0 }
        #expect(throws: ProtobufError.memoryLimit(message: "test.Repeated", limitBytes: 32 * bytes.count)) {
            try Repeated(decoding: bytes)
        }
        #expect(throws: Never.self) { try Repeated(decoding: Array(bytes[..<3000])) }
    }

    /// What repeats is merged in linear time: quadratic time would take hours here.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            Node(children: [Node()]), Node(child: Node(children: [Node()])), Node(named: ["a": Node()]),
            Node(pair: Pair(left: Node(children: [Node()]))),
        ])
    func manyOccurrencesAreMergedInLinearTime(_ part: Node) throws {
        let bytes = [[UInt8]](repeating: part.encoded(), count: 50_000).flatMap { $0 }
        let limits = DecodingLimits(memoryFloorBytes: 1 << 30)
        #expect(try Node(decoding: bytes, limits: limits).encoded().count > 0)
        #expect(try DynamicMessage(decoding: bytes, as: Node.schema, limits: limits).encoded().count > 0)
        let unknown = try Empty(decoding: bytes, limits: limits)
        #expect(unknown.encoded() == bytes)
    }

    @Test func textKeysOfMapsMayBeHostile() throws {
        let keys = (0..<50_000).map { "key \($0)" }
        let maps = Maps(string: Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) }))
        #expect(try Maps(decoding: maps.encoded()) == maps)
    }

    /// An empty node inside `levels` others. Made from the inside, so linear in time for the levels used here.
    static func nested(_ levels: Int, byField field: UInt8 = 2) -> [UInt8] {
        var reversed: [UInt8] = []
        for _ in 0..<levels {
            prepend(&reversed, field: field)
        }
        return reversed.reversed()
    }

    /// Prepends tag and length to a message whose bytes are in reverse order.
    private static func prepend(_ reversed: inout [UInt8], field: UInt8) {
        func wrap(_ number: UInt8) {
            var length = reversed.count
            var prefix: [UInt8] = []
            repeat {
                prefix.append(UInt8(length & 0x7f) | (length > 0x7f ? 0x80 : 0))
                length >>= 7
            } while length > 0
            reversed += prefix.reversed()
            reversed.append(number << 3 | 2)
        }
        if field == 4 { wrap(2) }
        wrap(field)
    }
}

/// A small random number generator with a seed. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
