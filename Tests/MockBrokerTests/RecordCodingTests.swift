import Contracts
import Domain
import MockBroker
import Testing

@Suite struct RecordCodingTests {
    static let samples: [BrokerRecord] = {
        var desk = Desk(
            {
                $0.seed = -5
                $0.dedupWindow = .seconds(86_400)
            },
            [
                .fills(parts: 2), .loseReplies(probability: 0.5), .duplicateFills(copies: 2),
                .slowReplies("slow", .uniform(.milliseconds(1) ... .seconds(2))),
            ])
        desk.place(order("1", limit: Price(unscaled: 230_0000), shares: 2))
        desk.advance()
        desk.place(order("2", side: .sell, limit: Price(unscaled: 300_0000), timeInForce: .goodTillCancel))
        desk.cancel("2", request: "c2")
        desk.place(order("3", limit: Price(unscaled: 1_0000)))
        desk.place(order("4", limit: Price(unscaled: 1_0000), timeInForce: .immediateOrCancel))
        desk.place(order("5", limit: Price(unscaled: 200_0000)), traceparent: "00-0a-0b-01")
        desk.take((try? desk.book.setPrice(apple, Price(unscaled: 199_0000), at: desk.now)) ?? [])
        desk.take([
            .replied(ReplyFact(request: 1, code: 0, fate: .sent), at: desk.now),
            .committed(request: 2, desk.book.orders[0].id, at: desk.now),
            .replied(
                ReplyFact(request: 2, code: nil, reason: "WHY", shownCode: 14, fate: .replaced), at: desk.now),
            .asked(sequence: 1, desk.book.offer(1, at: desk.now).decisions, at: desk.now),
            .offered(
                OfferFact(
                    stream: 3, sequence: 1, attempt: 1, fate: .duplicated,
                    decisions: desk.book.offer(1, at: desk.now).decisions), at: desk.now),
            .offered(OfferFact(stream: 3, sequence: 1, attempt: nil, fate: .delivered), at: desk.now),
            .controlled(method: "PutRule", body: [1, 2, 3], at: desk.now),
            .scripted(desk.book.rules.log.sorted, at: desk.now),
            .ruleRemoved("slow", at: desk.now), .rulesCleared(at: desk.now),
            .clockSet(.running(ahead: .seconds(-5)), at: desk.now), .clockSet(.frozen(desk.now), at: desk.now),
            .pathSet(
                apple, .replayed([PricePoint(time: desk.now, price: applePrice)], before: applePrice), at: desk.now),
            .pathSet(
                apple,
                .walk(
                    RandomWalk(
                        symbol: apple, start: applePrice, origin: desk.now, interval: .milliseconds(1),
                        stepBasisPoints: 1000, seed: -1)), at: desk.now),
        ])
        desk.advance(milliseconds: 86_400_000)
        return desk.records + faulty
    }()

    /// Records of orders that do not have the usual life.
    private static let faulty: [BrokerRecord] = {
        var desk = Desk()
        desk.take([
            .rulePut(
                try! Rule(
                    .script(
                        BrokerFillScript(
                            shape: .split(BrokerSplit(parts: 2, random: true)), beforeAcknowledgement: true,
                            commissionAfter: .fixed(.milliseconds(1)), bustAfter: .fixed(.milliseconds(3)),
                            correct: BrokerCorrection(
                                after: .fixed(.milliseconds(2)), priceOffset: WireDecimal(unscaled: 1, scale: 0))))),
                .control, at: desk.now),
            .rulePut(
                try! Rule(
                    .orders(.restate(BrokerRestate(after: .fixed(.milliseconds(1)), text: "moved")))), .control,
                at: desk.now),
        ])
        desk.place(order("6", shares: 4))
        desk.place(order("7", limit: Price(unscaled: 1_0000), timeInForce: .goodTillCancel))
        desk.replace("7", request: "8", shares: 2, limit: Price(unscaled: 230_0000))
        desk.place(order("9", limit: Price(unscaled: 1_0000)))
        desk.replace("9", request: "10", shares: 2, limit: Price(unscaled: 2_0000))
        desk.take([
            .rulePut(
                try! Rule(
                    .script(
                        BrokerFillScript(
                            shape: .steps(
                                BrokerFillSteps(steps: [
                                    BrokerFillStep(
                                        qty: WireDecimal(unscaled: 1, scale: 0),
                                        price: WireDecimal(unscaled: 5, scale: 0)), BrokerFillStep(),
                                ]))))), .control, at: desk.now)
        ])
        desk.place(order("11", shares: 2))
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
        #expect(tags == Set(1...27))
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
            if Bool.random(using: &random), !bytes.isEmpty { bytes[0] = UInt8.random(in: 1...27, using: &random) }
            _ = try? BrokerRecord(decoding: bytes[...])
            _ = try? JournalFrame.records(bytes[...])
            if let header = JournalFrame.header(bytes[...]) { _ = JournalFrame.isIntact(header, bytes[...]) }
        }
    }

    @Test func namespacesSurvive() throws {
        let records: [JournalRecord] = [
            .created("a"), .deleted("a"), .within("default", Self.samples[0]), .within("b", Self.samples[1]),
        ]
        for record in records {
            let bytes = record.encoded
            #expect(try JournalRecord(decoding: bytes[...]) == record)
            for length in bytes.indices {
                #expect(throws: RecordCodingError.self) { try JournalRecord(decoding: bytes[..<length]) }
            }
        }
    }

    @Test func theFormatStays() throws {
        // A journal written today must be read by every later version.
        let cancel = BrokerRecord.canceled(
            BrokerOrderID(rawValue: "ab")!, .request, at: UnixTime(nanoseconds: 150))
        #expect(cancel.encoded == [6, 0xAC, 0x02, 2, 0x61, 0x62, 1])
        #expect(JournalRecord.within("default", cancel).encoded == [0, 0] + cancel.encoded)
        #expect(JournalRecord.within("n", cancel).encoded == [0, 1, 0x6E] + cancel.encoded)
        #expect(JournalRecord.created("n").encoded == [1, 1, 0x6E])
        var checksum = CRC32C()
        checksum.combine(Array("123456789".utf8))
        #expect(checksum.value == 0xE306_9283)
    }
}
