import Contracts
import Domain
import Postgres
import RPCCore
import Testing

@testable import Trading

struct SellTests {
    /// Buys shares, so that there is something to sell.
    private func own(_ shares: Int64, in world: World) async throws {
        let bought = try await world.place(try World.buy("own", quantity: shares, price: "190.00"))
        try await world.order(bought.orderID, is: .new)
        try await world.deliver(try world.trade(bought, quantity: shares, price: "190.00", exec: "OWN", cum: shares))
        try await world.order(bought.orderID, is: .filled)
        try await world.settled()
    }

    @Test func sharesAreHeldSoldAndPaid() async throws {
        try await World.with { world in
            try await own(3, in: world)
            let placed = try await world.place(try World.sell("s-1", quantity: 2))
            #expect(placed.ordStatus == .pendingNew)
            #expect(placed.holdAmount == nil)
            #expect(try await world.heldShares() == [2_000_000_000])
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.trade(placed, quantity: 2, price: "201.00", exec: "S1", fee: 3))
            try await world.order(placed.orderID, is: .filled)
            try await world.settled()
            #expect(world.balance == 100_000 - 57_000 + 40_200 - 3)
            let position = try #require(
                try await world.client.listPositions(.init(customerID: World.customer)).positions.first)
            #expect(position.qty == WireDecimal(try Quantity(shares: 1)))
            #expect(position.cost == WireMoney(currency: "USD", minor: 19_000))
            #expect(try await world.heldShares() == [0])
            try await world.checkInvariants()
        }
    }

    @Test func nobodySellsWhatIsNotThereOrIsSetAside() async throws {
        try await World.with { world in
            let none = try await world.place(try World.sell("s-0"))
            #expect(none.ordStatus == .denied)
            #expect(none.reason == "INSUFFICIENT_SHARES")
            try await own(3, in: world)
            let statuses = try await withThrowingTaskGroup(of: WireOrdStatus.self) { group in
                for number in 1...6 {
                    group.addTask { try await world.place(try World.sell("s-\(number)", quantity: 1)).ordStatus }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == .pendingNew }.count == 3)
            #expect(statuses.filter { $0 == .denied }.count == 3)
            #expect(try await world.heldShares() == [3_000_000_000])
        }
    }

    @Test func aCanceledSaleGivesTheRestOfItsSharesBack() async throws {
        try await World.with { world in
            try await own(3, in: world)
            let placed = try await world.place(try World.sell("s-1", quantity: 3))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.trade(placed, quantity: 1, exec: "S1", cum: 1))
            try await world.deliver(try world.state(placed, .canceled, exec: "S2", cum: 1))
            try await world.order(placed.orderID, is: .canceled)
            #expect(try await world.heldShares() == [0])
            let again = try await world.place(try World.sell("s-2", quantity: 2))
            #expect(again.ordStatus == .pendingNew)
        }
    }

    @Test func aBustOfAPurchaseWhoseSharesWereSoldGoesShort() async throws {
        try await World.with { world in
            try await own(1, in: world)
            let bought = try await world.client.getOrder(.init(customerID: World.customer, id: .clientOrderID("own")))
            let sale = try await world.place(try World.sell("s-1"))
            try await world.order(sale.orderID, is: .new)
            try await world.deliver(try world.trade(sale, exec: "S1"))
            try await world.order(sale.orderID, is: .filled)
            try await world.deliver(try world.state(bought, .tradeCancel, exec: "B1", reference: "OWN"))
            try await world.settled()
            let position = try #require(
                try await world.client.listPositions(.init(customerID: World.customer)).positions.first)
            #expect(position.qty?.unscaled == -1_000_000_000)
            let denied = try await world.place(try World.sell("s-2"))
            #expect(denied.reason == "INSUFFICIENT_SHARES")
        }
    }
}

extension World {
    func heldShares() async throws -> [Int64] {
        try await postgres.query(sql: "select held_qty from position") { row in try row.int64(0) }
    }
}
