import Contracts
import Domain
import Limits
import Protobuf
import RPCCore
import Testing

@testable import Trading

struct PlacingTests {
    // MARK: Repetition

    @Test func theSameRequestGivesTheFirstAnswerAgain() async throws {
        try await World.with { world in
            let request = try World.buy("c-1")
            let first = try await world.place(request)
            let second = try await world.client.placeOrder(request)
            #expect(second.replayed)
            #expect(second.order?.orderID == first.orderID)
            #expect(world.money.truth.requests[first.orderID] == 1)
            try await world.order(first.orderID, is: .new)
            #expect(world.gateway.attempts.count == 1)
        }
    }

    @Test func otherContentUnderTheSameIDIsRefused() async throws {
        try await World.with { world in
            try await world.place(try World.buy("c-1"))
            var changes: [TradingPlaceOrderRequest] = [
                try World.buy("c-1", quantity: 2), try World.buy("c-1", price: "199.99"),
                try World.buy("c-1", price: nil), try World.buy("c-1", symbol: "MSFT", ),
                try World.buy("c-1", funding: World.funding), try World.sell("c-1"),
            ]
            changes[3].price = WireDecimal(try Price("400.00"))
            for change in changes {
                #expect(
                    await refusal { try await world.client.placeOrder(change) }
                        == Refused(.alreadyExists, "CLIENT_ORDER_ID_REUSED", .definitelyNotDone, .never))
            }
            #expect(world.money.truth.holds.count == 1)
        }
    }

    @Test func manyCallersWithOneIDMakeOneOrder() async throws {
        try await World.with { world in
            let request = try World.buy("c-1")
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<16 { group.addTask { try await world.place(request).orderID } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(world.money.truth.holds.count == 1)
            #expect(world.held == 20_000)
        }
    }

    @Test func twoCustomersMayUseOneID() async throws {
        try await World.with { world in
            world.money.open("usd-2", customer: "customer-2", balance: 100_000)
            var other = try World.buy("c-1")
            other.customerID = "customer-2"
            other.accountID = "usd-2"
            let first = try await world.place(try World.buy("c-1"))
            let second = try await world.place(other)
            #expect(first.orderID != second.orderID)
            #expect(
                await refusal {
                    try await world.client.getOrder(.init(customerID: "customer-2", id: .orderID(first.orderID)))
                } == Refused(.notFound, "ORDER_NOT_FOUND", .definitelyNotDone, .never))
        }
    }

    // MARK: Bad input

    struct BadInput: Sendable {
        let reason: String
        let code: Status.Code
        let change: @Sendable (inout TradingPlaceOrderRequest) -> Void

        init(
            _ reason: String, _ code: Status.Code = .invalidArgument,
            _ change: @escaping @Sendable (inout TradingPlaceOrderRequest) -> Void
        ) {
            self.reason = reason
            self.code = code
            self.change = change
        }
    }

    static let badInputs: [BadInput] = [
        BadInput("UNKNOWN_SYMBOL") { $0.symbol = "NOPE" },
        BadInput("SYMBOL_EMPTY") { $0.symbol = "" },
        BadInput("SYMBOL_TOO_LONG") { $0.symbol = String(repeating: "A", count: 65) },
        BadInput("SYMBOL_MALFORMED") { $0.symbol = "AA PL" },
        BadInput("CUSTOMER_ID_EMPTY") { $0.customerID = "" },
        BadInput("CUSTOMER_ID_TOO_LONG") { $0.customerID = String(repeating: "c", count: 65) },
        BadInput("CLIENT_ORDER_ID_EMPTY") { $0.clientOrderID = "" },
        BadInput("CLIENT_ORDER_ID_TOO_LONG") { $0.clientOrderID = String(repeating: "c", count: 37) },
        BadInput("CLIENT_ORDER_ID_MALFORMED") { $0.clientOrderID = "c_1" },
        BadInput("ACCOUNT_ID_EMPTY") { $0.accountID = "" },
        BadInput("FUNDING_ACCOUNT_ID_TOO_LONG") { $0.fundingAccountID = String(repeating: "f", count: 65) },
        BadInput("SIDE_MISSING") { $0.side = .unspecified },
        BadInput("SIDE_MISSING") { $0.side = .unrecognized(9) },
        BadInput("ORD_TYPE_MISSING") { $0.ordType = .unspecified },
        BadInput("TIME_IN_FORCE_MISSING") { $0.timeInForce = .unrecognized(9) },
        BadInput("ORDER_QTY_MISSING") { $0.orderQty = nil },
        BadInput("QUANTITY_NOT_POSITIVE") { $0.orderQty = WireDecimal(unscaled: 0, scale: 9) },
        BadInput("QUANTITY_NOT_POSITIVE") { $0.orderQty = WireDecimal(unscaled: -1_000_000_000, scale: 9) },
        BadInput("QUANTITY_OFF_LOT") { $0.orderQty = WireDecimal(unscaled: 500_000_000, scale: 9) },
        BadInput("QUANTITY_TOO_LARGE") { $0.orderQty = WireDecimal(unscaled: .max, scale: 9) },
        BadInput("DECIMAL_OUT_OF_RANGE") { $0.orderQty = WireDecimal(unscaled: .max, scale: 0) },
        BadInput("DECIMAL_OUT_OF_RANGE") { $0.orderQty = WireDecimal(unscaled: 1, scale: -1) },
        BadInput("DECIMAL_OUT_OF_RANGE") { $0.price = WireDecimal(unscaled: .max, scale: 0) },
        BadInput("DECIMAL_OUT_OF_RANGE") { $0.price = WireDecimal(unscaled: 20_000_001, scale: 5) },
        BadInput("PRICE_MISSING") { $0.price = nil },
        BadInput("PRICE_NOT_ALLOWED") { $0.ordType = .market },
        BadInput("LIMIT_PRICE_NOT_POSITIVE") { $0.price = WireDecimal(unscaled: 0, scale: 4) },
        BadInput("LIMIT_PRICE_NOT_POSITIVE") { $0.price = WireDecimal(unscaled: -1, scale: 4) },
        BadInput("LIMIT_PRICE_OFF_TICK") { $0.price = WireDecimal(unscaled: 2_000_001, scale: 4) },
        BadInput("LIMIT_PRICE_OUTSIDE_COLLAR") { $0.price = WireDecimal(unscaled: 3_000_000, scale: 4) },
        BadInput("NOTIONAL_EXCEEDS_LIMIT") { $0.orderQty = WireDecimal(unscaled: 6_000, scale: 0) },
    ]

    @Test func badInputIsRefusedWithItsOwnReasonAndNothingIsWritten() async throws {
        try await World.with(isRunning: false) { world in
            for input in Self.badInputs {
                var request = try World.buy("c-1")
                input.change(&request)
                #expect(
                    await refusal { try await world.client.placeOrder(request) }
                        == Refused(input.code, input.reason, .definitelyNotDone, .never), "\(input.reason)")
            }
            #expect(try await world.rowCount("customer_order") == 0)
            #expect(try await world.rowCount("order_event") == 0)
            #expect(try await world.rowCount("work_item") == 0)
            #expect(world.money.truth.requests.isEmpty)
        }
    }

    @Test func aKillSwitchStopsNewOrdersOnly() async throws {
        try await World.with(isRunning: false) {
            $0.engagedSwitches = [.everything]
        } _: { world in
            #expect(
                await refusal { try await world.client.placeOrder(try World.buy("c-1")) }
                    == Refused(.failedPrecondition, "KILL_SWITCH_ENGAGED", .definitelyNotDone, .never))
        }
    }

    // MARK: Money

    @Test func withoutMoneyTheOrderIsDeniedAndRemembered() async throws {
        try await World.with { world in
            let request = try World.buy("c-1", quantity: 6)
            let denied = try await world.place(request)
            #expect(denied.ordStatus == .denied)
            #expect(denied.reason == "INSUFFICIENT_FUNDS")
            let again = try await world.client.placeOrder(request)
            #expect(again.replayed && again.order?.ordStatus == .denied)
            try await world.settled()
            #expect(world.money.truth.holds.isEmpty)
            #expect(world.gateway.attempts.isEmpty)
        }
    }

    @Test func aShortfallIsExchangedExactlyAndHeld() async throws {
        try await World.with { world in
            let placed = try await world.place(try World.buy("c-1", quantity: 6, funding: World.funding))
            #expect(placed.ordStatus == .pendingNew)
            #expect(placed.exchangeID == "\(placed.orderID)-fx")
            let request = try #require(world.exchange.requests.first)
            #expect(request.exchangeID == "\(placed.orderID)-fx")
            #expect(request.buy == WireMoney(currency: "USD", minor: 20_000))
            #expect(request.sellCurrency == "KRW")
            #expect(request.sourceAccountID == World.funding)
            #expect(request.targetAccountID == World.account)
            #expect(world.held == 120_000)
            #expect(
                try await world.kinds(placed.orderID).prefix(6) == [
                    "RECEIVED", "VALIDATED", "FUNDING_REQUESTED", "FUNDED", "HELD", "QUEUED",
                ])
        }
    }

    @Test func aFailedExchangeDeniesTheOrder() async throws {
        try await World.with { world in
            world.exchange.plan(.fail("INSUFFICIENT_FUNDS"))
            let denied = try await world.place(try World.buy("c-1", quantity: 6, funding: World.funding))
            #expect(denied.ordStatus == .denied)
            #expect(denied.reason == "INSUFFICIENT_FUNDS")
            try await world.settled()
            #expect(world.held == 0)
        }
    }

    /// An exchange that was sealed moved nothing: the order goes on with another, and is not denied for it.
    @Test func anInterruptedExchangeIsTriedAgainUnderAnotherID() async throws {
        try await World.with { world in
            world.exchange.plan(.fail("SEALED"))
            let placed = try await world.place(try World.buy("c-1", quantity: 6, funding: World.funding))
            #expect(placed.ordStatus == .pendingNew)
            #expect(placed.exchangeID == "\(placed.orderID)-fx2")
            #expect(world.exchange.requests.map(\.exchangeID) == ["\(placed.orderID)-fx", "\(placed.orderID)-fx2"])
            #expect(world.held == 120_000)
            #expect(
                try await world.kinds(placed.orderID).prefix(7) == [
                    "RECEIVED", "VALIDATED", "FUNDING_REQUESTED", "FUNDING_REQUESTED", "FUNDED", "HELD", "QUEUED",
                ])
        }
    }

    /// The amount of the next exchange is what is missing by then.
    @Test func moneyThatComesBetweenTwoExchangesCounts() async throws {
        try await World.with { world in
            world.exchange.plan(.failAfterDeposit("SEALED", minor: 15_000))
            let placed = try await world.place(try World.buy("c-1", quantity: 6, funding: World.funding))
            #expect(placed.ordStatus == .pendingNew)
            #expect(world.exchange.requests.map(\.buy?.minor) == [20_000, 5_000])
        }
    }

    @Test func anOrderWhoseExchangesAllBreakOffIsDeniedForThat() async throws {
        try await World.with { world in
            world.exchange.plan(.fail("SEALED"), .fail("SEALED"), .fail("SEALED"))
            let request = try World.buy("c-1", quantity: 6, funding: World.funding)
            let denied = try await world.place(request)
            #expect(denied.ordStatus == .denied && denied.reason == "EXCHANGE_INTERRUPTED")
            #expect(denied.text.contains("nothing was done") && denied.text.contains("new client order id"))
            #expect(world.exchange.requests.map(\.exchangeID) == ["-fx", "-fx2", "-fx3"].map { denied.orderID + $0 })
            // The same again is the first answer again, and asks for no fourth.
            #expect(try await world.place(request).reason == "EXCHANGE_INTERRUPTED")
            try await world.settled()
            #expect(world.exchange.requests.count == 3 && world.held == 0)
        }
    }

    @Test(arguments: [FakeExchange.Act.stayOpen, .loseReply])
    func anOpenExchangeIsGoneOnWithUnderTheSameID(_ act: FakeExchange.Act) async throws {
        try await World.with { world in
            world.exchange.plan(act)
            let request = try World.buy("c-1", quantity: 6, funding: World.funding)
            #expect(
                await refusal { try await world.client.placeOrder(request) }
                    == Refused(.unavailable, "ORDER_PENDING_FUNDS", .unknown, .sameIDAfter))
            world.time.advance(by: .seconds(2))
            let order = try await world.client.getOrder(
                .init(customerID: World.customer, id: .clientOrderID("c-1")))
            try await world.order(order.orderID, is: .new)
            #expect(Set(world.exchange.requests.map(\.buy?.minor)) == [20_000])
            #expect(world.balance == 120_000)
        }
    }

    @Test(arguments: [FakeAccount.Act.loseRequest, .loseReply])
    func anOpenHoldIsGoneOnWith(_ act: FakeAccount.Act) async throws {
        try await World.with { world in
            world.money.plan(act)
            let request = try World.buy("c-1")
            #expect(
                await refusal { try await world.client.placeOrder(request) }
                    == Refused(.unavailable, "ORDER_PENDING_FUNDS", .unknown, .sameIDAfter))
            // The customer asks again before the lane has gone on.
            let again = try await world.client.placeOrder(request)
            #expect(again.replayed)
            let order = try #require(again.order)
            try await world.order(order.orderID, is: .new)
            #expect(world.held == 20_000)
            #expect(world.money.truth.holds.count == 1)
        }
    }

    /// The order exists by then: "definitely not done" would be a lie.
    @Test func aCallerWhoseTimeRunsOutIsToldThatTheOutcomeIsOpen() async throws {
        try await World.with { world in
            world.money.plan(.useUpTheTime)
            let request = try World.buy("c-1")
            await Deadline.within(.milliseconds(300)) {
                #expect(
                    await refusal { try await world.client.placeOrder(request) }
                        == Refused(.unavailable, "ORDER_PENDING_FUNDS", .unknown, .sameIDAfter))
            }
            let order = try await world.client.getOrder(.init(customerID: World.customer, id: .clientOrderID("c-1")))
            try await world.advancing { try await world.order(order.orderID).ordStatus == .new ? () : nil }
            #expect(world.money.truth.holds.count == 1)
        }
    }

    @Test func aDoubtfulHoldOfADeniedOrderIsSealed() async throws {
        try await World.with { world in
            world.money.plan(.loseRequest, .refuse("ACCOUNT_FROZEN"))
            let request = try World.buy("c-1")
            _ = await refusal { try await world.client.placeOrder(request) }
            let denied = try #require(try await world.client.placeOrder(request).order)
            #expect(denied.ordStatus == .denied)
            #expect(denied.reason == "ACCOUNT_FROZEN")
            try await world.settled()
            #expect(world.money.truth.sealed == [denied.orderID])
        }
    }

    @Test func aHoldOnSomeoneElsesAccountIsGivenBack() async throws {
        try await World.with { world in
            world.money.open("usd-9", customer: "someone-else", balance: 100_000)
            var request = try World.buy("c-1")
            request.accountID = "usd-9"
            let denied = try await world.place(request)
            #expect(denied.ordStatus == .denied)
            #expect(denied.reason == "ACCOUNT_NOT_OWNED")
            try await world.settled()
            #expect(world.money.truth.accounts["usd-9"]?.held == 0)
            #expect(world.gateway.attempts.isEmpty)
        }
    }

    @Test func feesAreHeldOnTop() async throws {
        try await World.with(isRunning: false) {
            $0.fees = .mockBroker
        } _: { world in
            // 0.07 % of 600 dollars is 42 cents; half a cent for each of three shares, rounded up, is 2.
            let placed = try await world.place(try World.buy("c-1", quantity: 3))
            #expect(placed.holdAmount == WireMoney(currency: "USD", minor: 60_044))
        }
    }

    @Test func aMarketOrderHoldsTheCollar() async throws {
        try await World.with(isRunning: false) { world in
            let placed = try await world.place(try World.buy("c-1", price: nil))
            #expect(placed.holdAmount == WireMoney(currency: "USD", minor: 21_000))
        }
    }

    // MARK: Lists

    @Test func ordersAreListedNewestFirstPageByPage() async throws {
        try await World.with(isRunning: false) { world in
            var ids: [String] = []
            for number in 1...5 {
                world.time.advance(by: .milliseconds(5))
                ids.append(try await world.place(try World.buy("c-\(number)")).orderID)
            }
            var listed: [String] = []
            var token = ""
            repeat {
                let page = try await world.client.listOrders(
                    .init(customerID: World.customer, pageSize: 2, pageToken: token))
                listed += page.orders.map(\.orderID)
                token = page.nextPageToken
            } while !token.isEmpty
            #expect(listed == ids.reversed())
            #expect(
                await refusal {
                    try await world.client.listOrders(.init(customerID: World.customer, pageSize: 501))
                }?.reason == "PAGE_SIZE_OUT_OF_RANGE")
        }
    }
}
