import Contracts
import Domain
import RPCCore
import Testing

@Test func aRefusalTravelsInTheStatusDetails() throws {
    let refusal = Refusal(
        .failedPrecondition, "INSUFFICIENT_FUNDS", "not enough money", retry: .askFirst,
        context: ["available": "USD 1.00"])
    let status = Status(describing: refusal)
    #expect(status.code == .failedPrecondition && status.message == "not enough money")
    let detail = try #require(WireErrorDetail(status))
    #expect(detail.reason == "INSUFFICIENT_FUNDS")
    #expect(detail.retry == .askFirst && detail.context == ["available": "USD 1.00"])
    #expect(status.outcome == .definitelyNotDone && status.reason == "INSUFFICIENT_FUNDS")
}

@Test(arguments: [
    (Status(.unavailable, certainty: .notProcessed), WireCertainty.definitelyNotDone),
    (Status(.unavailable, certainty: .unknown), .unknown),
    (Status(.invalidArgument), .unknown),  // A word that is missing proves nothing.
    (Status(.invalidArgument, details: [0xFF]), .unknown),
    (Refusal(.internal, "X", "x", certainty: .unknown).status, .unknown),
    (Refusal(.internal, "X", "x", certainty: .definitelyDone).status, .definitelyDone),
])
func onlyAClearWordIsCertain(status: Status, outcome: WireCertainty) {
    #expect(status.outcome == outcome)
}

@Test func amountsCrossTheWireExactlyOrAreRefused() throws {
    let money = Money(minorUnits: .min, currency: .krw)
    #expect(try Money(WireMoney(money), field: "amount") == money)
    #expect(throws: Refusal.self) { try Money(WireMoney(currency: "EUR", minor: 1), field: "amount") }
    let price = Price(unscaled: 2_230_200)
    #expect(try Price(WireDecimal(price), field: "price") == price)
    #expect(try Price(WireDecimal(unscaled: 22302, scale: 2), field: "price") == price)
    for (unscaled, scale) in [(1, 5), (Int64.max, 0), (1, -1), (1, 99)] as [(Int64, Int32)] {
        #expect(throws: Refusal.self) { try Price(WireDecimal(unscaled: unscaled, scale: scale), field: "price") }
    }
}
