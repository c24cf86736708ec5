import Contracts
import RPCCore
import Testing

@testable import BrokerGateway

private func refusal(
    _ code: Status.Code, _ reason: String, certainty: WireCertainty = .definitelyNotDone,
    retry: WireRetryAdvice = .never
) -> Status {
    Refusal(code, reason, "text", certainty: certainty, retry: retry).status
}

@Test(arguments: [
    (refusal(.invalidArgument, "PRICE_OFF_TICK"), BrokerVerdict.refused(reason: "PRICE_OFF_TICK")),
    (refusal(.resourceExhausted, "BUSY", retry: .sameIDAfter), .notSent(reason: "BUSY")),
    (refusal(.alreadyExists, "DUPLICATE_CLIENT_ORDER_ID"), .duplicate),
    (refusal(.alreadyExists, "SOMETHING_ELSE", certainty: .unknown), .unknown(reason: "SOMETHING_ELSE")),
    (refusal(.internal, "LOST", certainty: .definitelyDone), .unknown(reason: "LOST")),
    (Status(.unavailable, certainty: .notProcessed), .notSent(reason: "UNAVAILABLE")),
    (Status(.deadlineExceeded, certainty: .unknown), .unknown(reason: "DEADLINE_EXCEEDED")),
])
func onlyAStructuredNoRefuses(status: Status, verdict: BrokerVerdict) {
    #expect(BrokerVerdict(status) == verdict)
}

/// Whatever the code: without the broker's own word nothing is certain.
@Test(arguments: Status.Code.allCases.filter { $0 != .ok })
func aBareStatusProvesNothing(code: Status.Code) {
    #expect(BrokerVerdict(Status(code)) == .unknown(reason: code.description))
    #expect(BrokerVerdict(Status(code, details: [1, 2, 3])) == .unknown(reason: code.description))
}

@Test func placesAreGivenBackWhateverHappens() async throws {
    let limit = InFlightLimit(1)
    struct Failed: Error {}
    await #expect(throws: Failed.self) { try await limit.run { throw Failed() } }
    let inner = await limit.run { await limit.run { 1 } }
    #expect(inner == .some(nil))
    #expect(await limit.run { 2 } == 2)
}
