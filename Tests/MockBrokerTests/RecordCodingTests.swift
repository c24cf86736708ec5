import Domain
import MockBroker
import Testing

@Suite struct RecordCodingTests {
    static let samples: [BrokerRecord] = {
        var desk = Desk {
            $0.fillParts = 2
            $0.seed = -5
        }
        desk.place(order("1", limit: Price(unscaled: 230_0000), shares: 2))
        desk.advance()
        desk.place(order("2", side: .sell, limit: Price(unscaled: 300_0000), timeInForce: .goodTillCancel))
        desk.cancel("2", request: "c2")
        desk.place(order("3", limit: Price(unscaled: 1_0000)))
        desk.place(order("4", limit: Price(unscaled: 1_0000), timeInForce: .immediateOrCancel))
        desk.place(order("5", limit: Price(unscaled: 200_0000)), traceparent: "00-0a-0b-01")
        desk.take((try? desk.book.setPrice(apple, Price(unscaled: 199_0000), at: desk.now)) ?? [])
        desk.advance(milliseconds: 86_400_000)
        return desk.records
    }()

    @Test func everyKindOfRecordSurvives() throws {
        var tags: Set<UInt8> = []
        for record in Self.samples {
            let bytes = record.encoded
            tags.insert(bytes[0])
            #expect(try BrokerRecord(decoding: bytes[...]) == record)
        }
        #expect(tags == Set(1...10))
    }

    @Test func aRecordThatIsCutIsNone() {
        for record in Self.samples {
            let bytes = record.encoded
            for length in bytes.indices {
                #expect(throws: RecordCodingError.self) { try BrokerRecord(decoding: bytes[..<length]) }
            }
            #expect(throws: RecordCodingError.self) { try BrokerRecord(decoding: (bytes + [0])[...]) }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random), !bytes.isEmpty { bytes[0] = UInt8.random(in: 1...10, using: &random) }
            _ = try? BrokerRecord(decoding: bytes[...])
            _ = try? JournalFrame.records(bytes[...])
            if let header = JournalFrame.header(bytes[...]) { _ = JournalFrame.isIntact(header, bytes[...]) }
        }
    }

    private func acceptance(traceparent: String) -> BrokerRecord.Acceptance {
        let content = order("1", limit: Price(unscaled: 200_0000))
        return BrokerRecord.Acceptance(
            id: BrokerOrderID(rawValue: "ab")!, content: content, ordinal: 1, plan: nil, expires: nil,
            traceparent: traceparent, at: UnixTime(nanoseconds: 150))
    }

    @Test func theFormatStays() throws {
        // A journal written today must be read by every later version.
        let cancel = BrokerRecord.canceled(
            BrokerOrderID(rawValue: "ab")!, .request, at: UnixTime(nanoseconds: 150))
        #expect(cancel.encoded == [7, 0xAC, 0x02, 2, 0x61, 0x62, 1])
        // An order without a trace is written as it was before traces were kept.
        let plain = BrokerRecord.accepted(acceptance(traceparent: ""))
        let traced = BrokerRecord.accepted(acceptance(traceparent: "t"))
        #expect(plain.encoded[0] == 4)
        #expect(traced.encoded == [10] + plain.encoded.dropFirst() + [1, 0x74])
        #expect(throws: RecordCodingError.malformed) {
            try BrokerRecord(decoding: ([10] + plain.encoded.dropFirst() + [0])[...])
        }
        var checksum = CRC32C()
        checksum.combine(Array("123456789".utf8))
        #expect(checksum.value == 0xE306_9283)
    }
}
