import RedisEventBus
import TestSupport
import Testing

@Test func netstringsAreGolden() {
    #expect(Netstrings.encode(["b": "", "a": "x:y"]) == Array("1:a,3:x:y,1:b,0:,".utf8))
    #expect(Netstrings.encode([:]) == [])
}

@Test(arguments: SeededGenerator.seeds(20))
func netstringsRoundTripAndNeverTrap(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var pairs: [String: String] = [:]
    for _ in 0..<(random.next() % 6) {
        pairs[String(decoding: random.anyBytes(count: Int(random.next() % 9)), as: UTF8.self)] =
            String(decoding: random.anyBytes(count: Int(random.next() % 30)), as: UTF8.self)
    }
    let bytes = Netstrings.encode(pairs)
    #expect(Netstrings.decode(bytes) == pairs)
    for count in 0..<bytes.count {
        if let cut = Netstrings.decode(Array(bytes.prefix(count))) { #expect(cut.count < pairs.count) }
        var changed = bytes
        changed[count] = UInt8(truncatingIfNeeded: random.next())
        _ = Netstrings.decode(changed)
    }
    _ = Netstrings.decode(random.anyBytes(count: 40))
}
