import Contracts
import Limits
import RPCCore
import Synchronization
import TestSupport
import Testing

@testable import BrokerGateway

/// What the gateway says about an attempt, for everything that can happen at the broker.
@Suite(.serialized) struct OutcomeTests {
    private static func refused(
        _ reason: String, _ code: Status.Code = .invalidArgument, _ certainty: WireCertainty = .definitelyNotDone,
        _ retry: WireRetryAdvice = .never
    ) -> FakeBroker.Act {
        .fail(Refusal(code, reason, "no", certainty: certainty, retry: retry).status)
    }

    @Test(
        arguments: [
            (.accept, .confirmed, ""),
            (.replay, .confirmed, ""),
            (.answerForOther, .unknown, "ANSWER_FOR_OTHER_ORDER"),
            (refused("PRICE_OFF_TICK"), .refused, "PRICE_OFF_TICK"),
            (refused("BUSY", .resourceExhausted, .definitelyNotDone, .sameIDAfter), .notSent, "BUSY"),
            (refused("LOST", .internal, .unknown), .unknown, "LOST"),
            (.fail(Status(.internal, "bare")), .unknown, "INTERNAL"),
            (.fail(Status(.notFound, "a proxy's page")), .unknown, "NOT_FOUND"),
            (.fail(Status(.unavailable, certainty: .unknown)), .unknown, "UNAVAILABLE"),
            (.fail(Status(.unavailable, certainty: .notProcessed)), .notSent, "UNAVAILABLE"),
            (.hang, .unknown, "DEADLINE_EXCEEDED"),
        ] as [(FakeBroker.Act, GatewayOutcome, String)])
    func everyAnswerHasItsOutcome(_ act: FakeBroker.Act, _ outcome: GatewayOutcome, _ reason: String) async throws {
        try await Desk.with(.set { $0.brokerTimeout = .milliseconds(200) }) { (desk) async throws in
            desk.broker.plan(act, act)
            let submitted = try await desk.submit()
            #expect(submitted.outcome == outcome)
            #expect(submitted.reason == reason)
            #expect((submitted.order != nil) == (outcome == .confirmed))
            if case .replay = act { #expect(submitted.duplicate) } else { #expect(!submitted.duplicate) }
            let cancelled = try await desk.cancel()
            #expect(cancelled.outcome == outcome)
            #expect(cancelled.reason == reason)
            let names: [GatewayOutcome: String] = [
                .confirmed: "CONFIRMED", .refused: "REFUSED", .unknown: "UNKNOWN", .notSent: "NOT_SENT",
            ]
            let tail = reason.isEmpty ? "" : " \(reason)"
            let name = try #require(names[outcome])
            #expect(
                try await desk.journal() == ["NEW order-1 1 \(name)\(tail)", "CANCEL cancel-1 1 \(name)\(tail)"])
        }
    }

    @Test func aDuplicateIdIsConfirmedByLookingTheOrderUp() async throws {
        try await Desk.with { (desk) async throws in
            desk.broker.plan(Self.refused("DUPLICATE_CLIENT_ORDER_ID", .alreadyExists))
            let answer = try await desk.submit(attempt: 2)
            #expect(answer.outcome == .confirmed && answer.duplicate)
            #expect(answer.order?.orderID == "B-order-1")
        }
    }

    @Test(
        arguments: [
            .fail(Status(.unavailable, certainty: .unknown)), .answerForOther,
            refused("ORDER_UNKNOWN", .notFound),
        ] as [FakeBroker.Act])
    func aDuplicateIdThatCannotBeSeenStaysUnknown(_ lookUp: FakeBroker.Act) async throws {
        try await Desk.with { (desk) async throws in
            desk.broker.plan(Self.refused("DUPLICATE_CLIENT_ORDER_ID", .alreadyExists))
            desk.broker.planLookUps(lookUp)
            let answer = try await desk.submit(attempt: 2)
            #expect(answer.outcome == .unknown && answer.reason == "DUPLICATE_CLIENT_ORDER_ID")
        }
    }

    @Test(
        arguments: [
            (.accept, .found), (refused("ORDER_UNKNOWN", .notFound), .notFound),
            (.fail(Status(.notFound, "a proxy's page")), .unreachable),
            (.fail(Status(.unimplemented)), .unreachable), (.answerForOther, .unreachable),
            (.fail(Status(.unavailable, certainty: .notProcessed)), .unreachable), (.hang, .unreachable),
        ] as [(FakeBroker.Act, GatewayLookUpResult)])
    func aLookUpSaysOnlyWhatTheBrokerSaid(_ act: FakeBroker.Act, _ result: GatewayLookUpResult) async throws {
        try await Desk.with(.set { $0.brokerTimeout = .milliseconds(200) }) { (desk) async throws in
            desk.broker.planLookUps(act)
            let answer = try await desk.client.lookUpOrder(
                GatewayLookUpOrderRequest(brokerID: "mock", account: "a", clientOrderID: "order-1"))
            #expect(answer.result == result)
            #expect((answer.order != nil) == (result == .found))
            #expect(answer.text.isEmpty == (result != .unreachable))
            #expect(try await desk.journal().isEmpty, "a question is no attempt")
        }
    }

    @Test func whatIsTooMuchIsCertainlyNotSentAndThePlacesComeBack() async throws {
        try await Desk.with(.set { $0.concurrencyPerBroker = 2 }) { (desk) async throws in
            let arrived = Counter()
            let gate = WakeUp()
            let both = WakeUp()
            desk.broker.onRequest.withLock { hook in
                hook = {
                    // The first waits for the test, the second for the first.
                    if arrived.increment() == 1 { await gate.wait() } else { await both.wait() }
                    both.wake()
                }
            }
            try await withThrowingTaskGroup(of: GatewayOutcome.self) { group in
                for number in 1...2 { group.addTask { try await desk.submit("order-\(number)").outcome } }
                while arrived.value < 2 { await Task.yield() }
                let third = try await desk.submit("order-3")
                #expect(third.outcome == .notSent && third.reason == "GATEWAY_BUSY")
                let question = try await desk.client.lookUpOrder(
                    GatewayLookUpOrderRequest(brokerID: "mock", account: "a", clientOrderID: "order-1"))
                #expect(question.result == .unreachable)
                gate.wake()
                for try await outcome in group { #expect(outcome == .confirmed) }
            }
            #expect(desk.broker.placed.count == 2)
            desk.broker.onRequest.withLock { $0 = nil }
            #expect(try await desk.submit("order-3").outcome == .confirmed)
        }
    }

    @Test func aBrokerThatCannotBeReachedIsCertainlyNotSent() async throws {
        struct NoWay: RPCChannel {
            func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
                throw Status(.unavailable, "connection refused", certainty: .notProcessed)
            }
        }
        try await Desk.with(channel: NoWay()) { (desk) async throws in
            let outcomes = (try await desk.submit().outcome, try await desk.cancel().outcome)
            #expect(outcomes == (.notSent, .notSent))
        }
    }

    @Test func theBrokersCapabilitiesArePassedOn() async throws {
        try await Desk.with { (desk) async throws in
            #expect(
                try await desk.client.getCapabilities(GatewayGetCapabilitiesRequest(brokerID: "mock")).brokerID
                    == "mock")
            let unknown = await refusal {
                try await desk.client.getCapabilities(GatewayGetCapabilitiesRequest(brokerID: "x"))
            }
            #expect(unknown?.detail?.reason == "BROKER_UNKNOWN")
        }
    }
}
