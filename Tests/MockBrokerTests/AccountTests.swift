import Contracts
import Domain
import MockBroker
import Protobuf
import RPCCore
import Testing

/// Cash, shares, buying power and statements, as clients see them.
@Suite struct AccountTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func account(_ fixture: BrokerFixture, _ name: String = "alice") async throws -> BrokerAccount {
        try await fixture.broker.getAccount(BrokerGetAccountRequest(account: name))
    }

    private static func dollars(_ cents: Int64) -> WireMoney { WireMoney(currency: "USD", minor: cents) }

    @Test func cashMovesWithFillsAndSettlesOnTheNextTradingDay() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            #expect(try await account(fixture).cash == Self.dollars(100_000_000))
            _ = try await fixture.place("1", shares: 10)
            _ = try await fixture.stream(2)
            // 10 x 223.02, and 7 bp of it.
            var state = try await account(fixture)
            #expect(state.cash == Self.dollars(100_000_000 - 223_020 - 156))
            #expect(state.unsettled == Self.dollars(-223_176))
            #expect(state.commissions == Self.dollars(156))
            #expect(try await fixture.truth().accounts == [state])
            #expect(try await account(fixture, "bob").unsettled == Self.dollars(0))
            // Friday's trades settle on Monday, at midnight in New York.
            for (time, unsettled) in [("2026-11-23T04:59:59Z", -223_176), ("2026-11-23T05:00:00Z", 0)]
                as [(String, Int64)]
            {
                try await fixture.setClock(time)
                state = try await account(fixture)
                #expect(state.unsettled == Self.dollars(unsettled))
                #expect(state.cash == Self.dollars(99_776_824))
            }
            let wrong = await status { try await account(fixture, "a b") }
            #expect(wrong?.reason == "ACCOUNT_INVALID")
        }
    }

    @Test func ordersThatCannotBePaidAreRefused() async throws {
        let setup = BrokerFixture.Setup.with {
            $0.behavior.openingCash = Money(minorUnits: 100_000, currency: .usd)
            $0.behavior.checksBuyingPower = true
        }
        try await BrokerFixture.run(scratch, setup) { fixture in
            func reason(_ id: String, _ side: WireSide, _ shares: Int64, _ price: String? = nil) async -> String? {
                let refused = await status {
                    try await fixture.broker.placeOrder(
                        BrokerFixture.request(id, side: side, shares: shares, price: price))
                }
                if let refused {
                    #expect(refused.code == .failedPrecondition)
                    #expect(WireErrorDetail(refused)?.certainty == .definitelyNotDone)
                }
                return refused?.reason
            }
            // 800.00 and 56 cents of commission are spoken for.
            #expect(await reason("1", .buy, 4, "200.00") == nil)
            #expect(await reason("2", .buy, 1, "199.31") == "INSUFFICIENT_BUYING_POWER")
            #expect(await reason("3", .buy, 1, "199.30") == nil)
            for order in ["1", "3"] {
                _ = try await fixture.broker.cancelOrder(
                    BrokerCancelOrderRequest(clientOrderID: "c\(order)", origClientOrderID: order, account: "alice"))
            }
            // A market order counts 5 % above 223.02: four cost 937.35 at worst, five 1171.69.
            #expect(await reason("4", .buy, 5) == "INSUFFICIENT_BUYING_POWER")
            #expect(await reason("5", .sell, 1) == "INSUFFICIENT_SHARES")
            #expect(await reason("6", .buy, 4) == nil)
            let fills = try await fixture.stream(6)
            #expect(fills.last?.report?.ordStatus == .filled)
            #expect(await reason("7", .sell, 3, "300.00") == nil)
            #expect(await reason("8", .sell, 2, "300.00") == "INSUFFICIENT_SHARES")
            #expect(await reason("9", .sell, 1) == nil)
            #expect(try await fixture.truth().orders.count == 5)
            // The same request again is the same answer, whatever the account has left.
            #expect(try await fixture.place("6", shares: 4).replayed)
        }
    }

    @Test func openingCashIsThatOfTheFirstUse() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            _ = try await fixture.place("1", price: "1.00")
            try await fixture.setBehavior(BrokerBehavior(openingCash: Self.dollars(5)))
            #expect(try await account(fixture).cash == Self.dollars(100_000_000))
            #expect(try await account(fixture, "bob").cash == Self.dollars(5))
            for cash in [Self.dollars(-1), WireMoney(currency: "KRW", minor: 1), WireMoney(currency: "?", minor: 1)] {
                let refused = await status { try await fixture.setBehavior(BrokerBehavior(openingCash: cash)) }
                #expect(refused.flatMap { WireErrorDetail($0) }?.context["field"] == "behavior.opening_cash")
            }
        }
    }

    // MARK: Statements

    private func getStatement(
        _ account: String, _ date: String, _ fixture: BrokerFixture
    ) async throws -> BrokerStatement {
        try await fixture.broker.getStatement(BrokerGetStatementRequest(account: account, tradeDate: date))
    }

    @Test func aStatementIsGivenWhenItsDateIsOver() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            _ = try await fixture.place("1", shares: 10)
            _ = try await fixture.stream(2)
            try await fixture.setClock("2026-11-21T00:59:59Z")
            let early = await status { try await getStatement("alice", "2026-11-20", fixture) }
            #expect(early?.code == .failedPrecondition)
            #expect(early?.reason == "TRADE_DATE_NOT_OVER")
            try await fixture.setClock("2026-11-21T01:00:00Z")
            let statement = try await getStatement("alice", "2026-11-20", fixture)
            #expect(statement.openingCash == Self.dollars(100_000_000))
            #expect(statement.closingCash == Self.dollars(99_776_824))
            #expect(statement.commissions == Self.dollars(156))
            #expect(statement.settlementDate == "2026-11-23")
            #expect(statement.positions.map(\.symbol) == ["AAPL"])
            #expect(statement.reports.map(\.sequence) == [2])
            for date in ["2026-11-21", "2026-11-26", "2026-13-01", "", "yesterday"] {
                let wrong = await status { try await getStatement("alice", date, fixture) }
                #expect(wrong?.reason == "TRADE_DATE_INVALID", "\(date)")
            }
        }
    }

    /// Statements are the feed, day by day: whoever adds the reports up by itself gets the same cash and shares.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func statementAndFeedAgree(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let setup = BrokerFixture.Setup.with {
            $0.rules = [.fills(parts: 3)]
            $0.prices[InstrumentID(rawValue: "PENNY")!] = Price(unscaled: 4321)
        }
        try await BrokerFixture.run(scratch, setup) { fixture in
            let dates = ["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25"]
            for (day, date) in dates.enumerated() {
                try await fixture.setClock("\(date)T15:00:00Z")
                for number in 0..<12 {
                    _ = try await fixture.broker.placeOrder(
                        BrokerFixture.request(
                            "o\(day)-\(number)", account: ["alice", "bob"].randomElement(using: &random)!,
                            symbol: ["AAPL", "PENNY"].randomElement(using: &random)!,
                            side: [.buy, .sell].randomElement(using: &random)!,
                            shares: .random(in: 1...99, using: &random)))
                }
            }
            try await fixture.setClock("2026-11-26T01:00:00Z")
            let feed = try await fixture.broker.listExecutions(BrokerListExecutionsRequest(pageSize: 1000))
            #expect(feed.complete)
            for name in ["alice", "bob"] {
                var cash: Int64 = 100_000_000
                var shares: [String: Int64] = [:]
                for date in dates {
                    let reports = feed.reports.filter { $0.report?.account == name && $0.report?.tradeDate == date }
                    let statement = try await getStatement(name, date, fixture)
                    #expect(statement.reports == reports)
                    #expect(statement.openingCash == Self.dollars(cash))
                    var commissions: Int64 = 0
                    for report in reports.compactMap(\.report) {
                        let nanos = try #require(report.lastQty?.unscaled)
                        let price = try #require(report.lastPx?.unscaled)
                        let sign: Int64 = report.side == .buy ? -1 : 1
                        // Prices have four places: half a cent up.
                        cash += sign * ((price * (nanos / 1_000_000_000) + 50) / 100)
                        commissions += try #require(report.commission?.minor)
                        shares[report.symbol, default: 0] -= sign * nanos
                    }
                    cash -= commissions
                    #expect(statement.closingCash == Self.dollars(cash))
                    #expect(statement.commissions == Self.dollars(commissions))
                    let held = Dictionary(
                        uniqueKeysWithValues: statement.positions.map { ($0.symbol, $0.qty?.unscaled) })
                    #expect(held == shares.filter { $0.value != 0 }.mapValues { Optional($0) })
                }
                #expect(try await account(fixture, name).cash == Self.dollars(cash))
                let list = try await fixture.broker.listPositions(BrokerListPositionsRequest(account: name))
                #expect(list.positions.map(\.symbol) == shares.filter { $0.value != 0 }.keys.sorted())
                #expect(list.positions.map { $0.qty?.unscaled } == list.positions.map { shares[$0.symbol] })
            }
        }
    }

    /// A bust takes back to the cent what the trade moved.
    @Test func whatIsReversedIsAsIfItHadNotBeen() {
        let trade = Movement(
            .sell, shares(7), of: apple, at: Price(unscaled: 1_2345), commission: Money(minorUnits: 3, currency: .usd))
        #expect(trade.cents == 864)
        #expect(trade.shares == shares(-7))
        var book = AccountBook(openingCash: .zero(.usd))
        for (index, movement) in [trade, trade.reversed].enumerated() {
            book.add(
                AccountBook.Entry(
                    sequence: index + 1, tradeDate: venue.calendar.tradeDate(at: start), at: start, movement: movement))
            #expect(book.balance.cash.minorUnits == (index == 0 ? 861 : 0))
        }
        #expect(book.shares == [apple: .zero])
        #expect(book.unsettled(at: start, venue.calendar).isZero)
    }
}
