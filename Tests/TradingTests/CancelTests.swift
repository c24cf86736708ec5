import Contracts
import Domain
import RPCCore
import Testing

@testable import Trading

struct CancelTests {
    @Test func whatWasNeverSentEndsAtOnce() async throws {
        try await World.with(isRunning: false) { world in
            let placed = try await world.place(try World.buy("c-1"))
            let canceled = try await world.cancel(placed)
            #expect(canceled.ordStatus == .canceled)
            try await world.running {
                try await world.settled()
                #expect(world.held == 0)
                #expect(world.gateway.attempts.isEmpty)
            }
        }
    }

    @Test func aWorkingOrderIsCanceledByTheBrokersReport() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 2))
            try await world.order(placed.orderID, is: .new)
            #expect(try await world.cancel(placed).ordStatus == .pendingCancel)
            #expect(try await world.cancel(placed).ordStatus == .pendingCancel)
            try await world.event("CANCEL_ACKNOWLEDGED", of: placed.orderID)
            #expect(world.held == 40_000)
            try await world.deliver(try world.trade(placed, exec: "E1", cum: 1))
            try await world.deliver(try world.state(placed, .canceled, exec: "E2", cum: 1))
            let canceled = try await world.order(placed.orderID, is: .canceled)
            #expect(canceled.cumQty == WireDecimal(try Quantity(shares: 1)))
            try await world.settled()
            #expect(world.gateway.cancels.count == 1)
            let account = try #require(world.money.truth.accounts[World.account])
            #expect(account.held == 0)
            #expect(account.balance == 80_000)
        }
    }

    @Test func aFillOvertakesTheCancel() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            world.gateway.planCancels(.refuse("ALREADY_FILLED"))
            _ = try await world.cancel(placed)
            try await world.event("CANCEL_REFUSED", of: placed.orderID)
            #expect(try await world.order(placed.orderID).ordStatus == .new)
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.order(placed.orderID, is: .filled)
            #expect(
                await refusal { try await world.cancel(placed) }
                    == Refused(.failedPrecondition, "ORDER_IS_FINAL", .definitelyNotDone, .never))
        }
    }

    @Test func theEndWaitsForExecutionsThatTheBrokerCounts() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 2))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.state(placed, .canceled, exec: "E2", cum: 1))
            let waiting = try await world.order(placed.orderID)
            #expect(waiting.ordStatus != .canceled)
            #expect(world.money.truth.holds[placed.orderID]?.isOpen == true)
            try await world.deliver(try world.trade(placed, exec: "E1", cum: 1))
            try await world.order(placed.orderID, is: .canceled)
            try await world.settled()
            #expect(world.balance == 80_000)
            #expect(world.held == 0)
        }
    }

    @Test func missingExecutionsAreRaisedInTime() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 2))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.state(placed, .canceled, exec: "E2", cum: 1))
            world.time.advance(by: .seconds(61))
            try await world.order(placed.orderID, is: .needsReview)
        }
    }

    @Test func aCancelWhileUnknownStopsResendsAndAsksByOurID() async throws {
        try await World.with { world in
            world.gateway.plan(.loseReply)
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .unconfirmed)
            _ = try await world.cancel(placed)
            try await world.event("CANCEL_ACKNOWLEDGED", of: placed.orderID)
            let request = try #require(world.gateway.cancels.first?.cancel)
            #expect(request.origClientOrderID == placed.orderID)
            #expect(request.clientOrderID != placed.orderID)
            try await world.deliver(try world.state(placed, .canceled, exec: "E1"))
            try await world.order(placed.orderID, is: .canceled)
            world.time.advance(by: .seconds(60))
            try await world.settled()
            #expect(world.gateway.attempts.count == 1)
            #expect(world.held == 0)
        }
    }

    @Test func aLostCancelIsSentAgainUnderTheSameID() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            world.gateway.planCancels(.loseReply, .fail(Status(.unavailable, certainty: .unknown)))
            _ = try await world.cancel(placed)
            for count in 1...2 {
                try await world.event("CANCEL_OUTCOME_UNKNOWN", of: placed.orderID, count: count)
                world.time.advance(by: .seconds(30))
            }
            try await world.event("CANCEL_ACKNOWLEDGED", of: placed.orderID)
            #expect(world.gateway.cancels.map(\.attempt) == [1, 2, 3])
            #expect(Set(world.gateway.cancels.map { $0.cancel?.clientOrderID }).count == 1)
        }
    }

    @Test func aCancelBeforeTheHoldIsKnownLeavesNoHold() async throws {
        try await World.with(isRunning: false) { world in
            world.money.plan(.loseReply)
            _ = await refusal { try await world.client.placeOrder(try World.buy("c-1")) }
            let order = try await world.client.getOrder(.init(customerID: World.customer, id: .clientOrderID("c-1")))
            #expect(try await world.cancel(order).ordStatus == .canceled)
            #expect(world.held == 20_000)
            try await world.running {
                try await world.settled()
                #expect(world.held == 0)
                #expect(world.gateway.attempts.isEmpty)
            }
        }
    }

    @Test func nobodyCancelsTheOrderOfAnother() async throws {
        try await World.with(isRunning: false) { world in
            let placed = try await world.place(try World.buy("c-1"))
            #expect(
                await refusal {
                    try await world.client.cancelOrder(.init(customerID: "other", orderID: placed.orderID))
                } == Refused(.notFound, "ORDER_NOT_FOUND", .definitelyNotDone, .never))
        }
    }
}

extension World {
    func cancel(_ order: TradingOrder) async throws -> TradingOrder {
        let response = try await client.cancelOrder(.init(customerID: order.customerID, orderID: order.orderID))
        guard let canceled = response.order else { throw Missing() }
        return canceled
    }
}
