import ArgumentParser
import Contracts
import Domain
import RPCCore
import RPCTool
import Testing

@testable import meridian

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("5s", .seconds(5)), ("2m", .seconds(120)), ("1h", .seconds(3600)),
        ("1000000h", .seconds(3_600_000_000)),
    ])
    func reads(_ text: String, as expected: Duration) throws { #expect(try DurationText.parse(text) == expected) }

    @Test(arguments: ["", "5", "s", "0s", "-5s", "5 s", "5d", "1.5s", "1000001s", "99999999999999999999s", "٣s"])
    func refuses(_ text: String) {
        #expect(throws: ValidationError.self) { try DurationText.parse(text) }
    }

    @Test(arguments: [
        (Duration.zero, "0 µs"), (.microseconds(350), "350 µs"), (.microseconds(999), "999 µs"),
        (.microseconds(1000), "1.0 ms"), (.microseconds(12_345), "12.3 ms"), (.milliseconds(999), "999.0 ms"),
        (.seconds(1), "1.00 s"), (.milliseconds(4567), "4.56 s"), (.milliseconds(60_050), "60.05 s"),
    ])
    func writes(_ duration: Duration, as expected: String) { #expect(TimeText.format(duration) == expected) }
}

@Suite struct StatusTextTests {
    @Test func showsReasonCertaintyAdviceAndFacts() {
        let status = Refusal(
            .failedPrecondition, "INSUFFICIENT_FUNDS", "not enough dollars", certainty: .definitelyNotDone,
            retry: .never, context: ["short": "3.00", "account": "a"]
        ).status
        #expect(
            StatusText.describe(status) == """
                FAILED_PRECONDITION INSUFFICIENT_FUNDS: not enough dollars
                  nothing was changed; the same request will be refused again
                  account = a
                  short = 3.00
                """)
    }

    @Test(arguments: [
        (WireCertainty.definitelyNotDone, WireRetryAdvice.sameIDAfter, "nothing was changed; the same request under"),
        (.definitelyDone, .unspecified, "it was done all the same"),
        (.unknown, .askFirst, "it is not known whether it was done; ask for the outcome first"),
    ])
    func saysWhatIsCertain(certainty: WireCertainty, retry: WireRetryAdvice, expected: String) {
        let status = Refusal(.unavailable, "R", "m", certainty: certainty, retry: retry).status
        #expect(StatusText.describe(status).contains("\n  \(expected)"))
    }

    @Test func showsAForeignStatusAsItIs() {
        let status = Status(.unavailable, "no route")
        #expect(StatusText.describe(status) == "\(status)")
    }
}

@Suite struct SentenceTests {
    private func sentence(_ service: String, _ name: String, _ facts: [String: String] = [:]) -> String? {
        Sentence(Timeline.Event(at: UnixTime(seconds: 0), service: service, name: name, facts: facts))?.text
    }

    @Test(
        arguments: [
            (
                "mock-broker", "order.accepted", ["order_id": "b-1", "client_order_id": "0123456789abcdef01234567"],
                "accepts order b-1 for …01234567"
            ),
            (
                "mock-broker", "order.reply_lost", ["client_order_id": "c-1"],
                "has committed c-1, and its reply is lost"
            ),
            (
                "mock-broker", "order.replayed", ["client_order_id": "c-1"],
                "knows c-1 already: the first answer again, no second order"
            ),
            ("mock-broker", "order.refused", ["client_order_id": "c-1", "reason": "HALTED"], "refuses c-1: HALTED"),
            (
                "broker-gateway", "attempt.sent", ["attempt": "2", "order_id": "o-1", "kind": "PLACE"],
                "sends attempt 2 of o-1 (PLACE)"
            ),
            (
                "broker-gateway", "attempt.ended", ["attempt": "2", "order_id": "o-1", "outcome": "unknown"],
                "attempt 2 of o-1: unknown"
            ),
            (
                "broker-gateway", "attempt.ended",
                ["attempt": "1", "order_id": "o-1", "outcome": "rejected", "reason": "HALTED"],
                "attempt 1 of o-1: rejected (HALTED)"
            ),
            (
                "broker-gateway", "attempt.ended",
                ["attempt": "1", "order_id": "o-1", "outcome": "accepted", "reason": ""], "attempt 1 of o-1: accepted"
            ),
            (
                "fill-receiver", "execution.stored", ["exec_id": "e-1", "order_id": "o-1", "receiver_sequence": "4"],
                "stores execution e-1 of o-1 as number 4"
            ),
            ("fill-receiver", "execution.duplicate", ["exec_id": "e-1", "copies": "2"], "knows e-1: 2 × dropped"),
            (
                "account-fx", "hold.placed", ["amount": "224.16 USD", "account_id": "minji-usd"],
                "hold placed: 224.16 USD minji-usd"
            ),
            ("trading", "alert.raised", ["order_id": "o-1", "what": "overdue"], "ALERT o-1: overdue"),
            (
                "trading", "order.submit_requested",
                ["order_id": "o-1", "ord_status": "PENDING_NEW", "detail": "first"],
                "order submit requested o-1 → PENDING_NEW  first"
            ),
            ("fx", "withdraw.succeeded", ["exchange_id": "x-1"], "withdraw succeeded x-1"),
        ] as [(String, String, [String: String], String)])
    func tells(service: String, name: String, facts: [String: String], expected: String) {
        #expect(sentence(service, name, facts) == expected)
    }

    @Test(arguments: [("trading", "service.ready"), ("channel", "rpc.served"), ("nobody", "order.accepted")])
    func leavesOutWhatIsNoPartOfTheStory(service: String, name: String) { #expect(sentence(service, name) == nil) }

    @Test func marksWhatIsMissing() {
        #expect(sentence("mock-broker", "order.refused") == "refuses ?: ?")
    }
}
