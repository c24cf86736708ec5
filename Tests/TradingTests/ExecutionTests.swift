import Contracts
import Domain
import EventBus
import Postgres
import Protobuf
import RPCCore
import Testing

@testable import Trading

struct ExecutionTests {
    @Test func aReportDeliveredThreeTimesTakesEffectOnce() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            let event = try world.trade(placed, exec: "E1", fee: 7)
            for _ in 0..<3 { try await world.deliver(event) }
            try await world.settled()
            #expect(try await world.rowCount("execution_applied") == 1)
            #expect(try await world.kinds(placed.orderID).filter { $0 == "FILL" }.count == 1)
            #expect(world.balance == 100_000 - 20_007)
            let positions = try await world.client.listPositions(.init(customerID: World.customer)).positions
            #expect(positions.map(\.qty) == [WireDecimal(try Quantity(shares: 1))])
        }
    }

    @Test func manyDeliveriesAtOnceTakeEffectOnceEach() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 5, price: "199.00"))
            try await world.order(placed.orderID, is: .new)
            var events: [EventExecutionStored] = []
            for number in 1...5 {
                events.append(try world.trade(placed, price: "199.00", exec: "E\(number)", cum: Int64(number)))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for event in (events + events + events).shuffled() {
                    group.addTask { try await world.deliver(event) }
                }
                try await group.waitForAll()
            }
            try await world.order(placed.orderID, is: .filled)
            try await world.settled()
            #expect(world.balance == 100_000 - 5 * 19_900)
            try await world.checkInvariants()
        }
    }

    @Test func oneIDWithOtherContentIsRaisedAndNotBooked() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 2))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(
                try world.trade(placed, exec: "E1", cum: 1),
                try world.trade(placed, price: "150.00", exec: "E1", cum: 1))
            try await world.settled()
            let order = try await world.order(placed.orderID)
            #expect(order.cumQty == WireDecimal(try Quantity(shares: 1)))
            #expect(order.avgPx == WireDecimal(try Price("200.00")))
            #expect(try await world.kinds(placed.orderID).contains("ALERT"))
            #expect(try await world.rowCount("execution_inbox") == 2)
        }
    }

    @Test func aReportOfAnUnknownOrderIsParkedAndAppliedLater() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            var unknown = placed
            unknown.orderID = "not-ours-1"
            try await world.deliver(try world.trade(unknown, exec: "X1"))
            #expect(try await world.rowCount("parked_execution") == 1)
            #expect(try await world.order(placed.orderID).ordStatus == .new)
            // The same broker's order becomes known: as if its row had been restored.
            try await world.postgres.execute(
                sql: "update parked_execution set client_order_id = $1", [.text(placed.orderID)])
            var event = try world.trade(placed, exec: "X1", sequence: 1)
            event.report?.clientOrderID = placed.orderID
            try await world.postgres.execute(sql: "update parked_execution set event = $1", [.bytes(event.encoded())])
            try await world.order(placed.orderID, is: .filled)
            try await world.settled()
            #expect(try await world.rowCount("parked_execution") == 0)
            #expect(
                try await world.postgres.query(sql: "select outcome from execution_inbox") { try $0.string(0) }
                    == ["APPLIED"])
        }
    }

    @Test(
        arguments: [
            { (report: inout BrokerExecutionReport) in report.symbol = "MSFT" },
            { $0.side = .sell }, { $0.account = "usd-2" }, { $0.lastQty = nil }, { $0.lastPx = nil },
            { $0.lastQty = WireDecimal(unscaled: -1, scale: 0) }, { $0.lastPx = WireDecimal(unscaled: .max, scale: 0) },
            { $0.execType = .unrecognized(77) }, { $0.commission = WireMoney(currency: "EUR", minor: 1) },
            { $0.transactTime = nil }, { $0.execType = .tradeCancel },
        ] as [@Sendable (inout BrokerExecutionReport) -> Void])
    func anUnusableReportIsSetAsideAndBlocksNothing(
        _ spoil: @Sendable (inout BrokerExecutionReport) -> Void
    ) async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            var event = try world.trade(placed, exec: "E1")
            if var report = event.report {
                spoil(&report)
                event.report = report
            }
            try await world.deliver(event, try world.trade(placed, exec: "E2"))
            try await world.order(placed.orderID, is: .filled)
            #expect(try await world.kinds(placed.orderID).contains("ALERT"))
            #expect(
                try await world.postgres.query(sql: "select outcome from execution_inbox order by 1") {
                    try $0.string(0)
                } == ["APPLIED", "REFUSED"])
            #expect(world.watermark == 2)
        }
    }

    @Test func theWatermarkStopsAtAGap() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 4, price: "199.00"))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.trade(placed, exec: "E1", cum: 1, sequence: 1))
            #expect(world.watermark == 1)
            try await world.deliver(
                try world.trade(placed, exec: "E3", cum: 3, sequence: 3),
                try world.trade(placed, exec: "E4", cum: 4, sequence: 4))
            #expect(world.watermark == 1)
            try await world.deliver(try world.trade(placed, exec: "E2", cum: 2, sequence: 2))
            #expect(world.watermark == 4)
            try await world.order(placed.orderID, is: .filled)
        }
    }

    @Test func aBustTakesSharesAndMoneyBackOnAClosedOrder() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 2))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(
                try world.trade(placed, exec: "E1", cum: 1, fee: 5), try world.trade(placed, exec: "E2", cum: 2, fee: 5)
            )
            try await world.order(placed.orderID, is: .filled)
            try await world.settled()
            try await world.deliver(try world.state(placed, .tradeCancel, exec: "E3", cum: 1, reference: "E1"))
            try await world.settled()
            let order = try await world.order(placed.orderID)
            #expect(order.ordStatus == .filled)
            #expect(order.cumQty == WireDecimal(try Quantity(shares: 1)))
            #expect(world.balance == 100_000 - 20_005)
            let position = try #require(
                try await world.client.listPositions(.init(customerID: World.customer)).positions.first)
            #expect(position.qty == WireDecimal(try Quantity(shares: 1)))
            #expect(position.cost == WireMoney(currency: "USD", minor: 20_000))
            try await world.checkInvariants()
        }
    }

    @Test func aCorrectionReplacesAnExecution() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.order(placed.orderID, is: .filled)
            try await world.settled()
            var correction = try world.trade(placed, price: "198.00", exec: "E2", cum: 1)
            correction.report?.execType = .tradeCorrect
            correction.report?.execRefID = "E1"
            try await world.deliver(correction)
            try await world.settled()
            #expect(try await world.order(placed.orderID).avgPx == WireDecimal(try Price("198.00")))
            #expect(world.balance == 100_000 - 19_800)
            try await world.checkInvariants()
        }
    }

    @Test func anOverfillIsBookedInFullAndRaised() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.trade(placed, quantity: 3, exec: "E1"))
            let order = try await world.order(placed.orderID, is: .filled)
            #expect(order.cumQty == WireDecimal(try Quantity(shares: 3)))
            try await world.settled()
            #expect(world.balance == 40_000)
            #expect(try await world.kinds(placed.orderID).contains("ALERT"))
        }
    }

    @Test func aCaptureIsRepeatedUnderItsKeyUntilItIsKnown() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            world.money.plan(.loseReply, .loseRequest, .work, .loseReply)
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.order(placed.orderID, is: .filled)
            try await world.eventually {
                world.time.advance(by: .seconds(5))
                return try await world.kinds(placed.orderID).contains("HOLD_RELEASED") ? () : nil
            }
            #expect(world.balance == 80_000)
            #expect(world.held == 0)
            let kinds = try await world.kinds(placed.orderID)
            let captured = try #require(kinds.firstIndex(of: "HOLD_CAPTURED"))
            let released = try #require(kinds.firstIndex(of: "HOLD_RELEASED"))
            #expect(captured < released)
        }
    }

    @Test func aRefusedCaptureIsParkedAndBlocksTheRelease() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            world.money.plan(.refuse("ACCOUNT_CLOSED"))
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.event("ALERT", of: placed.orderID)
            try await world.eventually {
                try await world.postgres.query(
                    sql: "select kind from work_item where parked_reason = 'ACCOUNT_CLOSED'"
                ) { try $0.string(0) } == ["CAPTURE"] ? () : nil
            }
            world.time.advance(by: .seconds(60))
            #expect(world.money.truth.holds[placed.orderID]?.isOpen == true)
        }
    }

    /// The consumer's queue is shorter than what comes at once: the rest waits and is not lost.
    @Test func moreThanATransactionTakesComesAtOnce() async throws {
        try await World.with {
            $0.executionBatch = 2
        } _: { world in
            world.money.open(World.account, customer: World.customer, balance: 1_000_000)
            let placed = try await world.place(try World.buy("c-1", quantity: 30, price: "199.00"))
            try await world.order(placed.orderID, is: .new)
            var events: [EventExecutionStored] = []
            for number in 1...30 {
                events.append(try world.trade(placed, price: "199.00", exec: "E\(number)", cum: Int64(number)))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for event in events { group.addTask { try await world.deliver(event) } }
                try await group.waitForAll()
            }
            try await world.order(placed.orderID, is: .filled)
            #expect(world.watermark == 30)
            try await world.settled()
            try await world.checkInvariants()
        }
    }

    @Test func anUnreadableMessageDoesNotBlockTheRest() async throws {
        try await World.with { world in
            try await world.bus.deliver(EventExecutionStored(brokerID: "", receiverSequence: 0))
            let placed = try await world.place(try World.buy("c-1"))
            try await world.order(placed.orderID, is: .new)
            try await world.deliver(try world.trade(placed, exec: "E1"))
            try await world.order(placed.orderID, is: .filled)
        }
    }
}

extension World {
    /// The last watermark that the receiver was told.
    var watermark: Int64? {
        bus.published.last { $0.topic == "executions-applied" }
            .flatMap { try? EventExecutionsApplied(decoding: $0.payload).receiverSequence }
    }
}
