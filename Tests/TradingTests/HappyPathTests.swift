import Contracts
import Domain
import EventBus
import Testing

@testable import Trading

struct HappyPathTests {
    @Test func aPurchaseIsHeldSentFilledCapturedAndReleased() async throws {
        try await World.with { world in
            let response = try await world.client.placeOrder(try World.buy("c-1", quantity: 2, price: "200.00"))
            let placed = try #require(response.order)
            #expect(!response.replayed)
            #expect(placed.ordStatus == .pendingNew)
            #expect(placed.holdAmount == WireMoney(currency: "USD", minor: 40_000))

            try await world.order(placed.orderID, is: .new)
            try await world.deliver(
                try world.trade(placed, quantity: 1, price: "199.00", exec: "E1", cum: 1, fee: 10),
                try world.trade(placed, quantity: 1, price: "198.00", exec: "E2", cum: 2, fee: 10))
            let filled = try await world.order(placed.orderID, is: .filled)
            try await world.settled()

            #expect(filled.avgPx == WireDecimal(try Price("198.50")))
            #expect(filled.leavesQty == WireDecimal(Quantity.zero))
            #expect(filled.attempts == 1)
            let account = try #require(world.money.truth.accounts[World.account])
            #expect(account.balance == 100_000 - 39_700 - 20)
            #expect(account.held == 0)
            let hold = try #require(world.money.truth.holds[placed.orderID])
            #expect(hold.amount == hold.captured + hold.released)
            #expect(try await world.order(placed.orderID).holdAmount == WireMoney(currency: "USD", minor: 0))

            let positions = try await world.client.listPositions(.init(customerID: World.customer)).positions
            #expect(positions.map(\.qty) == [WireDecimal(try Quantity(shares: 2))])
            #expect(positions.map(\.cost) == [WireMoney(currency: "USD", minor: 39_700)])
            let kinds = try await world.kinds(placed.orderID)
            #expect(
                kinds.filter { !$0.hasPrefix("HOLD_") } == [
                    "RECEIVED", "VALIDATED", "HELD", "QUEUED", "ATTEMPT_SENT", "ACKNOWLEDGED", "FILL", "FILL",
                ])
            #expect(
                kinds.filter { $0.hasPrefix("HOLD_") } == ["HOLD_CAPTURED", "HOLD_CAPTURED", "HOLD_RELEASED"])
            try await world.checkInvariants()
            #expect(world.bus.published.last?.topic == "executions-applied")
        }
    }
}
