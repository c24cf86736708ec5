import Contracts
import Domain
import Postgres
import Protobuf
import RPCCore
import Testing

@testable import Trading

struct StreamTests {
    @Test func everyChangeIsSeenOnceInOrder() async throws {
        try await World.with { world in
            let viewer = Viewer(world, after: 0)
            try await viewer.watching {
                let placed = try await world.place(try World.buy("c-1"))
                try await world.order(placed.orderID, is: .new)
                try await world.deliver(try world.trade(placed, exec: "E1"))
                try await world.order(placed.orderID, is: .filled)
                try await world.settled()
                let last = try await world.order(placed.orderID).version
                let updates = try await viewer.updates { $0.last?.order?.version == last }
                #expect(updates.map(\.order?.version) == (1...last).map { $0 })
                #expect(updates.map(\.sequence) == updates.map(\.sequence).sorted())
                #expect(Set(updates.map(\.sequence)).count == updates.count)
                let statuses = updates.compactMap(\.order?.ordStatus)
                #expect(statuses.first == .pendingNew)
                #expect(statuses.contains(.new))
                #expect(statuses.last == .filled)
            }
        }
    }

    @Test func aSubscriberResumesWhereItStopped() async throws {
        try await World.with {
            $0.recentUpdates = 4
        } _: { world in
            world.money.open(World.account, customer: World.customer, balance: 1_000_000)
            let first = Viewer(world, after: 0)
            let middle: Int64 = try await first.watching {
                let placed = try await world.place(try World.buy("c-1"))
                try await world.order(placed.orderID, is: .new)
                return try await first.updates { $0.count >= 3 }[2].sequence
            }
            // Far more than is kept in memory: it is read from the table.
            for number in 2...12 {
                let order = try await world.place(try World.buy("c-\(number)", price: "190.00"))
                _ = try await world.cancel(order)
            }
            let total = try await world.postgresCount("select count(*) from order_event where sequence > \(middle)")
            let second = Viewer(world, after: middle)
            try await second.watching {
                let updates = try await second.updates { $0.count >= total }
                #expect(updates.map(\.sequence) == updates.map(\.sequence).sorted())
                #expect(updates.allSatisfy { $0.sequence > middle })
            }
        }
    }

    @Test func aSubscriberSeesOnlyItsOwnOrders() async throws {
        try await World.with { world in
            world.money.open("usd-2", customer: "customer-2", balance: 100_000)
            let viewer = Viewer(world, after: 0)
            try await viewer.watching {
                var other = try World.buy("x-1")
                other.customerID = "customer-2"
                other.accountID = "usd-2"
                try await world.place(other)
                let mine = try await world.place(try World.buy("c-1"))
                let updates = try await viewer.updates { !$0.isEmpty }
                #expect(Set(updates.map(\.order?.orderID)) == [mine.orderID])
            }
        }
    }

    @Test func nothingIsSkippedWhileTransactionsCommitOutOfOrder() async throws {
        try await World.with { world in
            world.money.open(World.account, customer: World.customer, balance: 1_000_000)
            let viewer = Viewer(world, after: 0)
            try await viewer.watching {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...40 {
                        group.addTask {
                            let order = try await world.place(try World.buy("c-\(number)", price: "190.00"))
                            if number % 2 == 0 { _ = try? await world.cancel(order) }
                        }
                    }
                    try await group.waitForAll()
                }
                try await world.settled()
                let total = try await world.postgresCount("select count(*) from order_event")
                let updates = try await viewer.updates { $0.count >= total }
                #expect(updates.count == total)
                for (_, story) in Dictionary(grouping: updates, by: \.order?.orderID) {
                    #expect(story.compactMap(\.order?.version) == (1...Int64(story.count)).map { $0 })
                }
            }
        }
    }

    @Test func tooManySubscribersAreRefused() async throws {
        try await World.with {
            $0.maximumSubscribers = 0
        } _: { world in
            let viewer = Viewer(world, after: 0)
            #expect(await refusal { try await viewer.serve() }?.reason == "TOO_MANY_SUBSCRIBERS")
        }
    }
}

/// A subscriber that keeps what it is sent.
private struct Viewer: Sendable {
    let world: World
    let after: Int64
    let call = LocalCall(path: "/StreamOrderUpdates", request: nil)

    init(_ world: World, after: Int64) {
        self.world = world
        self.after = after
    }

    func serve() async throws {
        let coder = MessageCoder<TradingOrderUpdate>(
            decode: { try TradingOrderUpdate(decoding: $0) }, encode: { $0.encoded() })
        let customer = try CustomerID(World.customer)
        try await UpdateStream(ledger: world.service.ledger, hub: world.service.hub)
            .serve(customer, after: after, to: ResponseStream(call, coder))
    }

    /// Watches for as long as `body` takes; what happens in it is seen.
    func watching<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await world.eventually { world.service.hub.head == nil ? nil : () }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { do { try await serve() } catch is CancellationError {} }
            while !world.service.hub.isWatched { await Task.yield() }
            let result = try await body()
            group.cancelAll()
            return result
        }
    }

    func updates(_ condition: @Sendable ([TradingOrderUpdate]) -> Bool) async throws -> [TradingOrderUpdate] {
        try await world.eventually {
            let updates = try call.sent.map { try TradingOrderUpdate(decoding: $0) }
            return condition(updates) ? updates : nil
        }
    }
}

extension World {
    func postgresCount(_ sql: String) async throws -> Int {
        Int(try await postgres.query(sql: sql) { row in try row.int64(0) }[0])
    }
}
