import Contracts
import Limits
import RPC
import RPCCore
import ServiceKit
import TestSupport
import Testing

@testable import Channel

/// What goes through the door, and what comes back.
@Suite(.serialized) struct ForwardingTests {
    @Test func everyCallGoesInInTheNameOfItsCustomer() async throws {
        try await Door.with { door in
            let options = try Door.options()
            #expect(try await door.place().order?.orderID == "order-1")
            #expect(
                try await door.client.cancelOrder(ChannelCancelOrderRequest(orderID: "x"), options: options)
                    .order?.orderID == "x")
            #expect(
                try await door.client.getOrder(ChannelGetOrderRequest(id: .orderID("y")), options: options).orderID
                    == "y")
            #expect(
                try await door.client.getOrder(ChannelGetOrderRequest(id: .clientOrderID("c")), options: options)
                    .orderID == "by-client-id")
            let page = try await door.client.listOrders(ChannelListOrdersRequest(pageSize: 7), options: options)
            #expect(page.orders.map(\.orderID) == ["order-1"] && page.nextPageToken == "7")
            let balances = try await door.client.getBalances(ChannelGetBalancesRequest(), options: options)
            #expect(balances.cash.map(\.accountID) == ["krw-1", "usd-1"])
            #expect(balances.positions.map(\.symbol) == ["AAPL"])
            #expect(door.trading.customers == Array(repeating: "alice", count: 6))
            #expect(
                await refusal { try await door.client.getOrder(ChannelGetOrderRequest(), options: options) }
                    == Refused(code: .invalidArgument, reason: "ORDER_ID_MISSING"))
        }
    }

    @Test func anAnsweredOrderIsLoggedAtTheDoorWithItsTrace() async throws {
        try await Door.with { door in
            var options = try Door.options()
            try options.metadata.append(
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", for: "traceparent")
            _ = try await door.place(options: options)
            let line = try #require(door.log.lines.first { $0.event == "order.answered" })
            #expect(line.traceID == "0af7651916cd43dd8448eb211c80319c")
            #expect(line.facts == ["order_id": "order-1", "client_order_id": "client-order-1"])
            _ = try await door.place()
            #expect(door.log.lines.last { $0.facts["order_id"] != nil }?.event == "order.answered_again")
            door.trading.fail(with: Refusal(.failedPrecondition, "INSUFFICIENT_FUNDS", "no money").status)
            _ = await refusal { try await door.place() }
            #expect(door.log.lines.filter { $0.event == "order.answered" }.count == 1)
        }
    }

    @Test func refusalsOfTheInsideGoOutAsTheyAre() async throws {
        try await Door.with { door in
            let cases: [Refused] = [
                Refused(code: .failedPrecondition, reason: "INSUFFICIENT_FUNDS"),
                Refused(code: .alreadyExists, reason: "CLIENT_ORDER_ID_REUSED"),
                Refused(code: .unavailable, reason: "HOLD_UNKNOWN", certainty: .unknown, retry: .sameIDAfter),
            ]
            for expected in cases {
                door.trading.fail(
                    with: Refusal(
                        expected.code, expected.reason, "text", certainty: expected.certainty, retry: expected.retry
                    ).status)
                #expect(await refusal { try await door.place() } == expected)
            }
        }
    }

    /// Whatever breaks inside: the customer hears what is certain, and nothing of our inside.
    @Test(arguments: [
        (Status(.unavailable, "secret host", certainty: .unknown), Status.Code.unavailable, WireCertainty.unknown),
        (Status(.unavailable, "secret host", certainty: .notProcessed), .unavailable, .definitelyNotDone),
        (Status(.internal, "secret host"), .unavailable, .unknown),
        (Status(.unknown, "secret host"), .unavailable, .unknown),
        (Status(.deadlineExceeded, "secret host", certainty: .unknown), .deadlineExceeded, .unknown),
    ])
    func aBrokenInsideIsUnavailable(
        _ failure: Status, _ code: Status.Code, _ certainty: WireCertainty
    ) async throws {
        struct Broken: RPCChannel {
            let failure: Status
            func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall { throw failure }
        }
        try await Door.with(way: Broken(failure: failure)) { door in
            let expected = Refused(
                code: code, reason: "INSIDE_UNAVAILABLE", certainty: certainty, retry: .sameIDAfter)
            #expect(await refusal { try await door.place() } == expected)
            do {
                _ = try await door.place()
            } catch let status as Status {
                #expect(!status.message.contains("secret"))
            }
            let stream = await refusal {
                try await door.client.streamOrders(ChannelStreamOrdersRequest(), options: try Door.options()) {
                    updates in
                    for try await _ in updates {}
                }
            }
            #expect(stream == expected)
        }
    }

    @Test func aHangingInsideIsGivenUp() async throws {
        struct Silence: RPCChannel {
            func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
                let deadline = try #require(options.effectiveDeadline)
                try await ContinuousClock().sleep(until: deadline.instant)
                throw Status(.deadlineExceeded, certainty: .unknown)
            }
        }
        try await Door.with(.set { $0.callTimeout = .milliseconds(100) }, way: Silence()) { door in
            #expect(
                await refusal { try await door.place() }
                    == Refused(
                        code: .deadlineExceeded, reason: "INSIDE_UNAVAILABLE", certainty: .unknown,
                        retry: .sameIDAfter))
        }
    }

    @Test func aStreamEndsWithItsClient() async throws {
        try await Door.with { door in
            let seen = try await door.client.streamOrders(
                ChannelStreamOrdersRequest(afterSequence: 41), options: try Door.options()
            ) { updates in
                var sequences: [Int64] = []
                for try await update in updates {
                    #expect(update.order?.orderID == "order-1")
                    sequences.append(update.sequence)
                    if sequences.count == 3 { break }
                }
                #expect(door.trading.openStreams == 1)
                return sequences
            }
            #expect(seen == [42, 43, 44])
            try await eventually("the inside has heard of it") { door.trading.openStreams == 0 }
        }
    }
}
