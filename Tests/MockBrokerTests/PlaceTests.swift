import Domain
import MockBroker
import Testing

@Suite struct PlaceTests {
    private struct Case: CustomTestStringConvertible {
        let order: OrderContent
        let verdict: String
        var testDescription: String { "\(verdict): \(order)" }
    }

    @Test func takesAndRefuses() {
        let cases = [
            Case(order: order("1"), verdict: "accepted"),
            Case(order: order("1", limit: Price(unscaled: 223_0000)), verdict: "accepted"),
            Case(order: order("1", symbol: InstrumentID(rawValue: "NONE")!), verdict: "UNKNOWN_SYMBOL"),
            Case(order: order("1", shares: 0), verdict: "ORDER_QTY_NOT_POSITIVE"),
            Case(order: order("1", shares: -1), verdict: "ORDER_QTY_NOT_POSITIVE"),
            Case(order: order("1", shares: 1_000_000), verdict: "accepted"),
            Case(order: order("1", shares: 1_000_001), verdict: "ORDER_QTY_TOO_LARGE"),
            Case(order: order("1", limit: .zero), verdict: "PRICE_NOT_POSITIVE"),
            Case(order: order("1", limit: Price(unscaled: -100)), verdict: "PRICE_NOT_POSITIVE"),
            Case(order: order("1", limit: Price(unscaled: 223_0050)), verdict: "PRICE_OFF_TICK"),
            Case(order: order("1", limit: Price(unscaled: 9_999)), verdict: "accepted"),
            Case(order: order("1", limit: Price(unscaled: 10_001)), verdict: "PRICE_OFF_TICK"),
            Case(order: order("1", limit: Price(unscaled: 10_000_000_100)), verdict: "PRICE_OUT_OF_RANGE"),
        ]
        for test in cases {
            var desk = Desk()
            #expect(desk.place(test.order) == test.verdict, "\(test)")
            #expect(desk.book.orders.count == (test.verdict == "accepted" ? 1 : 0))
            #expect(desk.book.placeAttempts == 1)
        }
        var desk = Desk()
        let fractional = OrderContent(
            key: key("1"), symbol: apple, side: .buy, type: .market, quantity: Quantity(unscaled: 1_500_000_000),
            timeInForce: .day)
        #expect(desk.place(fractional) == "ORDER_QTY_NOT_WHOLE")
    }

    @Test(arguments: [
        (IdempotencyMode.returnOriginal, ["accepted", "replayed", "replayed", "CLIENT_ORDER_ID_REUSED"], 1),
        (
            .rejectDuplicate,
            ["accepted", "DUPLICATE_CLIENT_ORDER_ID", "DUPLICATE_CLIENT_ORDER_ID", "CLIENT_ORDER_ID_REUSED"], 1
        ),
        (.echoOnly, ["accepted", "accepted", "accepted", "accepted"], 4),
    ])
    func repeatedID(mode: IdempotencyMode, verdicts: [String], orders: Int) {
        var desk = Desk { $0.idempotencyMode = mode }
        var seen = [desk.place(order("1"))]
        seen.append(desk.place(order("1")))
        desk.advance()  // Filled meanwhile: the answer stays the same.
        seen.append(desk.place(order("1")))
        seen.append(desk.place(order("1", shares: 2)))
        #expect(seen == verdicts)
        #expect(desk.book.orders.count == orders)
        #expect(Set(desk.book.orders.map(\.id)).count == orders)
        #expect(desk.book.placeAttempts == 4)
    }

    @Test func anotherAccountMayUseTheSameID() {
        var desk = Desk()
        desk.place(order("1"))
        #expect(desk.place(order("1", account: AccountID(rawValue: "bob")!)) == "accepted")
    }

    @Test func aRefusedIDMayBeUsedAgain() {
        var desk = Desk()
        #expect(desk.place(order("1", shares: 0)) == "ORDER_QTY_NOT_POSITIVE")
        #expect(desk.place(order("1")) == "accepted")
    }

    @Test func anIDOfACancelRequestIsTaken() {
        var desk = Desk { $0.fillMode = .manual }
        desk.place(order("1"))
        desk.cancel("1", request: "2")
        #expect(desk.place(order("2")) == "CLIENT_ORDER_ID_REUSED")
    }

    @Test func refusesNewIDsWhenFull() {
        var desk = Desk()
        var small = venue
        small.idLimit = 2
        for (text, expected) in [("1", "accepted"), ("2", "accepted"), ("3", "BOOK_FULL"), ("1", "replayed")] {
            #expect(desk.place(order(text), small) == expected)
        }
    }

    @Test func positionsCannotOverflow() {
        var desk = Desk { $0.fillMode = .manual }
        var verdicts: Set<String> = []
        for number in 1...9_300 { verdicts.insert(desk.place(order("\(number)", shares: 1_000_000))) }
        #expect(verdicts == ["accepted", "POSITION_LIMIT_EXCEEDED"])
        #expect(desk.book.orders.count == 9_223)
    }
}
