import Contracts
import Domain
import RPCCore
import Testing

@testable import Trading

struct TwoProcessesTests {
    /// Both processes place, dispatch and settle at the same time; each piece of work is done by one of them.
    @Test func twoProcessesShareTheWorkWithoutDoingItTwice() async throws {
        try await World.with { world in
            world.money.open(World.account, customer: World.customer, balance: 1_000_000)
            let twin = world.makeTwin()
            let twinClient = TradingServiceClient(LocalChannel(twin.rpcServices[0]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { do { try await twin.run() } catch is CancellationError {} }
                try await work(in: world, twinClient)
                group.cancelAll()
            }
            try await world.checkInvariants()
            #expect(world.gateway.attempts.count == 40)
            #expect(world.money.truth.requests.values.allSatisfy { $0 <= 2 })
            #expect(world.held == 0)
            #expect(world.balance == 1_000_000 - 40 * 19_000)
        }
    }

    private func work(in world: World, _ twin: TradingServiceClient) async throws {
        // The same forty requests at both doors.
        let orders = try await withThrowingTaskGroup(of: TradingOrder?.self) { group in
            for number in 1...40 {
                for client in [world.client, twin] {
                    let request = try World.buy("c-\(number)", price: "190.00")
                    group.addTask { try await client.placeOrder(request).order }
                }
            }
            var orders: [String: TradingOrder] = [:]
            for try await order in group { if let order { orders[order.orderID] = order } }
            return orders.values.sorted { $0.orderID < $1.orderID }
        }
        #expect(orders.count == 40)
        for order in orders {
            try await world.order(order.orderID, is: .new)
            let trade = try world.trade(order, price: "190.00", exec: "E-\(order.orderID)")
            try await world.deliver(trade)
        }
        try await world.settled()
    }
}
