import Contracts
import Domain
import Foundation
import Limits
import RPC
import RPCCore
import RPCTool

/// The three orders of the demo, told as they happen.
struct DemoStory: Sendable {
    let stack: Stack
    let seed: Int64

    /// A customer who waits for the broker's second look is told within seconds, not minutes.
    static let options = Stack.Options(settings: [
        .trading: [
            "MERIDIAN_SUBMIT_DEADLINE_MS": "1000", "MERIDIAN_FIRST_RESEND_MS": "1000",
            "MERIDIAN_ASKS_BEFORE_RESENDING": "false",
        ]
    ])

    private static let customer = "minji"
    private static let won = "minji-krw"
    private static let dollars = "minji-usd"
    private static let deposit = Money(minorUnits: 2_000_000, currency: .krw)

    /// True when every check passed.
    func tell() async throws -> Bool {
        let timeline = Timeline(folder: stack.folder, isColoured: isatty(1) == 1)
        let start = ContinuousClock.now
        print("Starting Meridian in \(stack.folder.path)")
        try await stack.start { print("  · \($0)") }
        print("  ready after \(TimeText.format(start.duration(to: .now)))\n")

        try await openAccounts()
        try await misbehave()
        timeline.skip()
        let channel = try stack.channel(to: .channel)
        let door = Door(client: ChannelServiceClient(channel), token: try stack.folder.token(for: Self.customer))

        title("1  Minji has 2,000,000 won and no dollars, and buys one share of Apple")
        let bought = try await buyOneShare(through: door, timeline)
        title("2  She changes her mind about a second order, in time")
        let cancelled = try await placeAndCancel(through: door, timeline)
        title("3  She asks for a thousand shares")
        let refused = try await askForTooMuch(through: door, timeline)

        title("What she has")
        try await showBalances(through: door)
        title("The checks")
        return try await check(bought: bought, cancelled: cancelled, refused: refused)
    }

    // MARK: Before

    private func openAccounts() async throws {
        let krw = AccountServiceClient(try stack.channel(to: .accountKRW))
        let fx = AccountServiceClient(try stack.channel(to: .accountFX))
        _ = try await krw.openAccount(
            AccountOpenAccountRequest(
                accountID: Self.won, customerID: Self.customer, currency: "KRW",
                openingBalance: WireMoney(Self.deposit)))
        _ = try await fx.openAccount(
            AccountOpenAccountRequest(accountID: Self.dollars, customerID: Self.customer, currency: "USD"))
    }

    /// The overseas broker on a bad day.
    private func misbehave() async throws {
        let control = BrokerControlServiceClient(try stack.channel(to: .mockBroker, control: true))
        _ = try await control.setBehavior(BrokerSetBehaviorRequest(behavior: BrokerBehavior(seed: seed)))
        _ = try await control.setRules(
            BrokerSetRulesRequest(rules: [
                .slowReplies(
                    "ack-latency", .uniform(.milliseconds(60) ... .milliseconds(180)),
                    of: [.placeOrder, .cancelOrder]),
                .fills("fill-latency", .uniform(.milliseconds(300) ... .milliseconds(600))),
                .loseReplies("lost-ack", attempts: 1...1), .duplicateFills("duplicate-fill", copies: 2),
                .slowDelivery("feed-latency", .uniform(.milliseconds(2600) ... .milliseconds(3000))),
            ]))
    }

    // MARK: The orders

    private func buyOneShare(through door: Door, _ timeline: Timeline) async throws -> ChannelOrder {
        let placed = try await door.place(
            "first", quantity: 1, price: Price(unscaled: 2_240_000), account: Self.dollars, funding: Self.won)
        return try await door.follow(placed, until: [.filled], timeline)
    }

    private func placeAndCancel(through door: Door, _ timeline: Timeline) async throws -> ChannelOrder {
        let placed = try await door.place(
            "second", quantity: 1, price: Price(unscaled: 1_500_000), account: Self.dollars, funding: Self.won)
        _ = try await door.follow(placed, until: [.new], timeline)
        _ = try await door.cancel(placed.orderID)
        return try await door.follow(placed, until: [.canceled], timeline)
    }

    private func askForTooMuch(through door: Door, _ timeline: Timeline) async throws -> String {
        do {
            let placed = try await door.place(
                "third", quantity: 1000, price: Price(unscaled: 2_240_000), account: Self.dollars, funding: Self.won)
            timeline.show()
            print("  the answer: \(placed.ordStatus), \(placed.reason): \(placed.text)")
            return placed.reason
        } catch let status as Status {
            timeline.show()
            print("  the answer: \(StatusText.describe(status).split(separator: "\n").joined(separator: ";"))")
            return status.reason
        }
    }

    // MARK: After

    private func showBalances(through door: Door) async throws {
        let balances = try await door.balances()
        for cash in balances.cash {
            guard let balance = try cash.balance.map({ try Money($0, field: "balance") }),
                let held = try cash.held.map({ try Money($0, field: "held") })
            else { continue }
            print("  \(cash.accountID): \(balance), of which held \(held)")
        }
        for position in balances.positions {
            guard let quantity = try position.qty.map({ try Quantity($0, field: "qty") }) else { continue }
            print("  \(position.symbol): \(quantity) share(s)")
        }
    }

    private func check(bought: ChannelOrder, cancelled: ChannelOrder, refused: String) async throws -> Bool {
        let books = try await BooksAtRest.read(stack.folder, within: .seconds(15))
        let copies = books.stored.filter { $0.report?.execType == .trade }.reduce(0) { $0 + $1.duplicates }
        let trades = books.truth.reports.filter { $0.report?.execType == .trade }
        let shares = try books.positions.compactMap { try $0.qty.map { try Quantity($0, field: "qty") } }
        let oneShare = try Quantity(shares: 1)
        let own = [
            fact("the first order is FILLED", bought.ordStatus == .filled),
            fact(
                "the broker lost a reply and got the same id again",
                books.truth.lostReplies >= 1
                    && books.truth.placeAttempts > Int64(books.truth.orders.count)),
            fact("one execution, delivered three times", trades.count == 1 && copies == 2),
            fact("the position is one share", shares == [oneShare]),
            fact(
                "the second order is CANCELED with nothing filled",
                cancelled.ordStatus == .canceled
                    && (cancelled.cumQty?.unscaled ?? 0) == 0),
            fact("the third was refused for lack of money", refused == "INSUFFICIENT_FUNDS"),
        ]
        let all = own + Auditor.check(books)
        for check in all { print("  " + check.text.split(separator: "\n").joined(separator: "\n  ")) }
        let failed = all.filter { !$0.passed }.count
        print(failed == 0 ? "\nAll \(all.count) checks passed." : "\n\(failed) of \(all.count) checks FAILED.")
        return failed == 0
    }

    private func fact(_ name: String, _ holds: Bool) -> AuditCheck {
        AuditCheck(name: name, checked: 1, violations: holds ? [] : ["it is not so"])
    }

    private func title(_ text: String) { print("\n\(text)\n") }
}

/// The customer's side of the door.
struct Door: Sendable {
    let client: ChannelServiceClient
    let token: String

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    private var options: CallOptions {
        CallOptions(timeout: .seconds(20), metadata: ["authorization": "Bearer \(token)"])
    }

    func place(
        _ id: String, quantity: Int64, price: Price, account: String, funding: String
    ) async throws -> ChannelOrder {
        let response = try await client.placeOrder(
            ChannelPlaceOrderRequest(
                clientOrderID: id, symbol: "AAPL", side: .buy, ordType: .limit,
                orderQty: WireDecimal(Quantity(shares: quantity)), price: WireDecimal(price), timeInForce: .day,
                accountID: account, fundingAccountID: funding), options: options)
        guard let order = response.order else { throw Unexpected(description: "the answer holds no order") }
        return order
    }

    func cancel(_ orderID: String) async throws -> ChannelOrder? {
        try await client.cancelOrder(ChannelCancelOrderRequest(orderID: orderID), options: options).order
    }

    func balances() async throws -> ChannelGetBalancesResponse {
        try await client.getBalances(ChannelGetBalancesRequest(), options: options)
    }

    /// Waits for one of `wanted`, showing the timeline meanwhile; gives up after 60 seconds or at another final state.
    func follow(_ placed: ChannelOrder, until wanted: Set<WireOrdStatus>, _ timeline: Timeline) async throws
        -> ChannelOrder
    {
        let limit = ContinuousClock.now + .seconds(60)
        while true {
            let order = try await client.getOrder(
                ChannelGetOrderRequest(id: .orderID(placed.orderID)), options: options)
            timeline.show()
            if wanted.contains(order.ordStatus) { return order }
            switch order.ordStatus {
            case .filled, .canceled, .rejected, .expired, .denied, .needsReview:
                throw Unexpected(
                    description: "order \(order.orderID) became \(order.ordStatus): \(order.reason) \(order.text)")
            default: break
            }
            guard ContinuousClock.now < limit else {
                throw Unexpected(description: "order \(order.orderID) is still \(order.ordStatus) after 60 s")
            }
            try await Task.sleep(for: .milliseconds(150))
        }
    }
}
