import Contracts
import Domain
import Postgres
import RPCCore
import TestSupport
import Testing

@testable import Trading

struct CrashTests {
    /// A history with everything in it that can be interrupted: exchanges, hold, lost reply, fills, captures, release.
    private func history(
        _ name: String, in world: World, funding: Bool, acts: [FakeGateway.Act], cancels: Bool = false
    ) async throws -> TradingOrder {
        for act in acts { world.gateway.plan(act) }
        let request = try World.buy(name, quantity: 2, price: "199.00", funding: funding ? World.funding : "")
        // The caller may die with the service; the order is found by the customer's id of it.
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await world.client.placeOrder(request) }
        }
        let placed: TradingOrder = try await world.advancing {
            let order = try await world.client.getOrder(.init(customerID: World.customer, id: .clientOrderID(name)))
            return order.ordStatus == .new || order.ordStatus == .denied ? order : nil
        }
        guard placed.ordStatus == .new else { return placed }
        if cancels {
            _ = try await world.cancel(placed)
            try await world.advancing {
                try await world.kinds(placed.orderID).contains("CANCEL_ACKNOWLEDGED") ? () : nil
            }
            try await world.deliver(try world.state(placed, .canceled, exec: "\(name)-C"))
        } else {
            for number in 1...2 {
                let trade = try world.trade(placed, price: "199.00", exec: "\(name)-\(number)", cum: Int64(number))
                try await world.deliver(trade, trade)
            }
        }
        try await world.advancing { try await world.rowCount("work_item") == 0 ? () : nil }
        return try await world.order(placed.orderID)
    }

    @Test(arguments: CrashPlan.Moment.allCases)
    func anyCallThatDiesIsTakenUpAgain(_ moment: CrashPlan.Moment) async throws {
        try await World.with { world in
            world.money.open(World.account, customer: World.customer, balance: 0)
            var number = 0
            repeat {
                number += 1
                world.crash.crash(at: number, moment)
                world.exchange.plan(.fail("SEALED"))
                let order = try await history(
                    "c-\(number)", in: world, funding: true, acts: [.loseRequest])
                #expect(order.ordStatus == .filled, "died around call \(number)")
                #expect(world.gateway.orders.count == number)
                #expect(world.held == 0, "died around call \(number)")
                #expect(world.balance == 0, "died around call \(number)")
                try await world.checkInvariants()
            } while world.crash.hasCrashed && number < 40
            // Hold, balance, exchange, balance, exchange, hold, attempt, look-up, attempt, two captures, release.
            #expect(number > 10)
        }
    }

    @Test(arguments: CrashPlan.Moment.allCases)
    func aCancelThatDiesIsTakenUpAgain(_ moment: CrashPlan.Moment) async throws {
        try await World.with { world in
            var number = 0
            repeat {
                number += 1
                world.crash.crash(at: number, moment)
                let order = try await history("c-\(number)", in: world, funding: false, acts: [], cancels: true)
                #expect(order.ordStatus == .canceled, "died around call \(number)")
                #expect(world.held == 0)
                #expect(world.balance == 100_000)
                try await world.checkInvariants()
            } while world.crash.hasCrashed && number < 40
            #expect(number > 3)
        }
    }

    @Test(arguments: Array(1...6))
    func randomHistoriesEndWell(seed: UInt64) async throws {
        try await World.with(isRunning: false) { world in
            world.money.open(World.account, customer: World.customer, balance: 500_000)
            var random = SeededGenerator(seed: seed)
            var placed: [TradingOrder] = []
            for round in 1...6 {
                planRandomly(&random, world)
                let orders = placed
                let rolls = (0..<64).map { _ in UInt64.random(in: 0..<1000, using: &random) }
                // Each round is one life of the process; it ends in the middle of whatever it does.
                placed = try await world.running {
                    try await live(round, world, orders, rolls)
                }
                world.time.advance(by: .seconds(Int64.random(in: 1...30, using: &random)))
            }
            let orders = placed
            world.gateway.calm()
            world.money.calm()
            let inReview = try await world.running { try await end(orders, world) }
            try await world.checkInvariants()
            // What nobody can find out keeps its hold until a person decides; everything else is settled.
            let kept = inReview.reduce(0) { $0 + ($1.holdAmount?.minor ?? 0) }
            #expect(world.held == kept, "seed \(seed)")
        }
    }

    private func planRandomly(_ random: inout SeededGenerator, _ world: World) {
        for _ in 0..<6 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: world.gateway.plan(.loseReply)
            case 1: world.gateway.plan(.loseRequest)
            case 2: world.gateway.plan(.notSent)
            case 3: world.gateway.plan(.fail(Status(.unavailable, certainty: .unknown)))
            default: world.gateway.plan(.accept)
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: world.money.plan(.loseReply)
            case 1: world.money.plan(.loseRequest)
            default: world.money.plan(.work)
            }
        }
        world.gateway.lookUpsFail(Int.random(in: 0..<4, using: &random) == 0)
    }

    /// Places orders, delivers fills of known ones (some twice), cancels some, and lets time pass.
    private func live(
        _ round: Int, _ world: World, _ known: [TradingOrder], _ rolls: [UInt64]
    ) async throws -> [TradingOrder] {
        var orders = known
        for number in 0..<4 {
            let request = try World.buy("r-\(round)-\(number)", quantity: 2, price: "199.00")
            _ = try? await world.client.placeOrder(request)
            let order = try await world.client.getOrder(
                .init(customerID: World.customer, id: .clientOrderID(request.clientOrderID)))
            orders.append(order)
        }
        for (order, roll) in zip(orders.reversed(), rolls) {
            switch roll % 6 {
            case 0, 1:
                guard world.gateway.orders[order.orderID] != nil else { continue }
                let trade = try world.trade(order, price: "199.00", exec: "\(order.orderID)-1", cum: 1)
                for _ in 0...(roll % 3) { try? await world.deliver(trade) }
            case 2: _ = try? await world.cancel(order)
            case 3: world.time.advance(by: .seconds(2))
            default: try await world.settleBriefly()
            }
        }
        return orders
    }

    /// The broker ends every order that it knows; then nothing is left to do. Returns what a person has to look at.
    private func end(_ orders: [TradingOrder], _ world: World) async throws -> [TradingOrder] {
        try await world.advancing(by: .seconds(30)) { () -> Void? in
            for order in orders {
                let now = try await world.order(order.orderID)
                switch now.ordStatus {
                case .pendingNew, .unconfirmed: return nil
                default: break
                }
            }
            return ()
        }
        for order in orders {
            let now = try await world.order(order.orderID)
            guard [.new, .partiallyFilled, .pendingCancel].contains(now.ordStatus) else { continue }
            let cum = (now.cumQty?.unscaled ?? 0) / 1_000_000_000
            try await world.deliver(try world.state(order, .expired, exec: "\(order.orderID)-X", cum: cum))
        }
        try await world.advancing(by: .seconds(30)) {
            let left = try await world.postgresCount(
                "select count(*) from work_item join customer_order using (order_id) where not needs_review")
            return left == 0 ? () : nil
        }
        var inReview: [TradingOrder] = []
        for order in orders {
            let now = try await world.order(order.orderID)
            if now.ordStatus == .needsReview { inReview.append(now) }
        }
        return inReview
    }
}

extension World {
    /// Looks again and again while the clock runs, until `look` finds what it looks for.
    @discardableResult
    func advancing<Found: Sendable>(
        by step: Duration = .seconds(1), _ look: @Sendable () async throws -> Found?
    ) async throws -> Found {
        try await eventually {
            if let found = try await look() { return found }
            self.time.advance(by: step)
            return nil
        }
    }

    /// Lets the lanes take a few turns.
    func settleBriefly() async throws {
        for _ in 0..<3 { _ = try await postgres.query(sql: "select 1") { row in try row.int64(0) } }
    }
}
