import Domain
import Testing

@Suite struct IDTests {
    @Test(arguments: ["a", "0190-abc-XYZ", String(repeating: "x", count: 36)])
    func clientOrderIdsAreAccepted(text: String) throws {
        #expect(try ClientOrderID(text).text == text)
        #expect(ClientOrderID(rawValue: text)?.rawValue == text)
    }

    @Test(arguments: [
        ("", InvalidID.empty), (String(repeating: "x", count: 37), .tooLong(limit: 36)), ("a b", .forbiddenCharacter),
        ("a_b", .forbiddenCharacter), ("a\u{0}", .forbiddenCharacter), ("é", .forbiddenCharacter),
        ("주문", .forbiddenCharacter), ("a/b", .forbiddenCharacter), ("a\n", .forbiddenCharacter),
    ])
    func badClientOrderIdsAreRefused(text: String, error: InvalidID) {
        #expect(throws: error) { try ClientOrderID(text) }
        #expect(ClientOrderID(rawValue: text) == nil)
    }

    /// The example of RFC 9562, appendix A.6.
    @Test func versionSevenMatchesTheRFC() {
        let text = UUIDv7.text(milliseconds: 0x017F_22E2_79B0, random: (0xCC3, 0x18C4_DC0C_0C07_398F))
        #expect(text == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    }

    @Test(arguments: seeds)
    func generatedIdsSortByTimeAndAreValid(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var ids: [ClientOrderID] = []
        for millisecond in 0..<100 {
            let time = UnixTime(milliseconds: 1_700_000_000_000 + Int64(millisecond))
            let id = ClientOrderID(at: time, random: (generator.next(), generator.next()))
            #expect(try ClientOrderID(id.text) == id)
            ids.append(id)
        }
        #expect(ids == ids.sorted(), "seed \(seed)")
        #expect(Set(ids).count == ids.count, "seed \(seed)")
    }

    @Test func derivedIdsAreAFunctionOfTheFacts() throws {
        let broker = try BrokerID("mock")
        let first = try ExecutionID(broker: broker, execution: BrokerExecutionID("E-1"))
        #expect(try first == ExecutionID(broker: broker, execution: BrokerExecutionID("E-1")))
        #expect(try first != ExecutionID(broker: broker, execution: BrokerExecutionID("E-2")))
        #expect(EventID(derivedFrom: "ab", "c") != EventID(derivedFrom: "a", "bc"))
        // A stored id must never change: this value is part of the data format.
        #expect(first.text == "a2699ae5df32a7683165c135c493af6c")
    }

    /// Offset basis and one step, from the published FNV-1a test vectors for 128 bits.
    @Test func stableHashIsFNV1a() {
        var hash = StableHash()
        #expect(hash.hexadecimal == "6c62272e07bb014262b821756295c58d")
        hash.combine(byte: UInt8(ascii: "a"))
        #expect(hash.hexadecimal == "d228cb696f1a8caf78912b704e4a8964")
    }
}
