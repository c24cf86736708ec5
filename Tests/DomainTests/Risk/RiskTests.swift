import Domain
import Testing

private let apple = Instrument(id: try! InstrumentID("AAPL"), name: "Apple Inc.", currency: .usd)
private let limits = OrderLimits(
    maximumQuantity: try! Quantity(shares: 1000), maximumNotional: try! Money("100000.00", .usd),
    collar: BasisPoints(1000))

private func world(
    _ change: (inout ValidationContext) -> Void = { _ in }
) -> ValidationContext {
    var context = ValidationContext(
        instrument: apple, lastPrice: try! Price("230.00"), session: .core, broker: lookUpBroker)
    change(&context)
    return context
}

private func terms(
    _ side: Side = .buy, quantity: String = "1", limit: String? = "230.00", tif: TimeInForce = .day,
    currency: Currency = .usd
) -> OrderTerms {
    OrderTerms(
        customer: try! CustomerID("customer-1"), account: try! AccountID("usd-1"),
        clientOrder: try! ClientOrderID("mine-1"), instrument: try! InstrumentID("AAPL"), currency: currency,
        side: side,
        type: limit.map { .limit(try! Price($0)) } ?? .market, timeInForce: tif, quantity: try! Quantity(quantity))
}

@Suite struct OrderValidatorTests {
    let validator = OrderValidator(limits: limits)

    func verdict(
        _ terms: OrderTerms, _ context: ValidationContext = world(), limits override: OrderLimits? = nil
    ) -> ReasonCode? {
        do {
            try OrderValidator(limits: override ?? limits).validate(terms, in: context)
            return nil
        } catch { return error.reason }
    }

    @Test(
        arguments: [
            (terms(), nil), (terms(limit: nil), nil), (terms(.sell), nil),
            (terms(quantity: "1000", limit: "99.99"), nil),
            (terms(limit: "0.0001"), nil), (terms(limit: "0.9999"), nil), (terms(limit: "1.00"), nil),
            (terms(limit: "253.00"), nil),
            (terms(limit: "253.01"), .limitPriceOutsideCollar),
            (terms(.sell, limit: "207.00"), nil),
            (terms(.sell, limit: "206.99"), .limitPriceOutsideCollar),
            (terms(.sell, limit: "400.00"), nil),
            (terms(limit: "1.0001"), .limitPriceOffTick),
            (terms(limit: "230.005"), .limitPriceOffTick),
            (terms(limit: "0"), .limitPriceNotPositive),
            (terms(limit: "-1"), .limitPriceNotPositive),
            (terms(quantity: "0"), .quantityNotPositive),
            (terms(quantity: "-1"), .quantityNotPositive),
            (terms(quantity: "0.5"), .quantityOffLot),
            (terms(quantity: "1001"), .quantityTooLarge),
            (terms(quantity: "9223372036.854775807"), .quantityTooLarge),
            (terms(quantity: "500", limit: "230.00"), .notionalExceedsLimit),
            (terms(quantity: "400", limit: nil), .notionalExceedsLimit),  // 400 x 253.00, with the collar
            (terms(currency: .krw), .currencyMismatch),
        ] as [(OrderTerms, ReasonCode?)])
    func ordersAreJudged(_ terms: OrderTerms, _ reason: ReasonCode?) {
        #expect(verdict(terms) == reason)
    }

    @Test func theWorldDecidesToo() {
        #expect(verdict(terms(), world { $0.instrument = nil }) == .unknownSymbol)
        #expect(verdict(terms(), world { $0.instrument?.isTradable = false }) == .instrumentNotTradable)
        #expect(verdict(terms(), world { $0.instrument?.isHalted = true }) == .instrumentHalted)
        #expect(verdict(terms(limit: nil), world { $0.lastPrice = nil }) == .noReferencePrice)
        #expect(verdict(terms(), world { $0.lastPrice = nil }) == nil)
        #expect(verdict(terms(), world { $0.broker.orderKinds = [OrderKind(.limit, .day)] }) == nil)
        #expect(
            verdict(terms(limit: nil), world { $0.broker.orderKinds = [OrderKind(.limit, .day)] })
                == .orderKindNotSupported)
        #expect(
            verdict(terms(tif: .fillOrKill), world { $0.broker.orderKinds = [OrderKind(.limit, .day)] })
                == .orderKindNotSupported)
    }

    @Test func sessionsAreRespectedUnlessTheyAreIgnored() {
        for session in MarketSession.allCases where session != .core {
            #expect(verdict(terms(), world { $0.session = session }) == .marketClosed)
        }
        var extended = limits
        extended.sessions = [.pre, .core, .post]
        #expect(verdict(terms(), world { $0.session = .pre }, limits: extended) == nil)
        #expect(verdict(terms(limit: nil), world { $0.session = .post }, limits: extended) == .limitOrdersOnly)
        #expect(verdict(terms(), world { $0.session = .overnight }, limits: extended) == .marketClosed)
        var always = limits
        always.ignoresSessions = true
        #expect(verdict(terms(limit: nil), world { $0.session = .closed }, limits: always) == nil)
    }

    @Test(arguments: [
        (KillSwitch.everything, true), (.broker(try! BrokerID("mock")), true), (.broker(try! BrokerID("other")), false),
        (.instrument(try! InstrumentID("AAPL")), true), (.instrument(try! InstrumentID("MSFT")), false),
        (.customer(try! CustomerID("customer-1")), true), (.customer(try! CustomerID("customer-2")), false),
        (.side(.buy), true), (.side(.sell), false),
    ])
    func killSwitchesStopWhatTheyName(_ killSwitch: KillSwitch, stops: Bool) {
        #expect(verdict(terms(), world { $0.engagedSwitches = [killSwitch] }) == (stops ? .killSwitchEngaged : nil))
    }

    @Test func aDenialCarriesItsFacts() {
        #expect(
            throws: Denial(
                .limitPriceOffTick, "the limit price is no multiple of the tick", ["price": "230.005", "tick": "0.01"])
        ) { try validator.validate(terms(limit: "230.005"), in: world()) }
    }

    @Test(arguments: seeds)
    func extremeOrdersNeverTrap(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let price = Price(unscaled: generator.anyInt64())
            let order = OrderTerms(
                customer: try! CustomerID("c"), account: try! AccountID("a"), clientOrder: try! ClientOrderID("o"),
                instrument: try! InstrumentID("AAPL"), currency: .usd,
                side: Bool.random(using: &generator) ? .buy : .sell,
                type: Bool.random(using: &generator) ? .limit(price) : .market, timeInForce: .day,
                quantity: Quantity(unscaled: generator.anyInt64()))
            let context = world { $0.lastPrice = Price(unscaled: generator.anyInt64()) }
            _ = verdict(order, context)
            _ = try? HoldPlan(
                buying: order, lastPrice: context.lastPrice, collar: BasisPoints(500), fees: .none,
                tradeDate: CivilDate(epochDay: 20_000))
        }
    }
}

@Suite struct FeeAndHoldTests {
    static let schedule = FeeSchedule(tables: [
        FeeTable(
            effectiveFrom: CivilDate("2024-01-01")!,
            rules: [
                FeeRule(
                    name: "COMMISSION", sides: [.buy, .sell], basis: .value(partsPerBillion: 1_000_000),
                    minimumMinorUnits: 1, rounding: .floor),
                FeeRule(name: "SEC", sides: [.sell], basis: .value(partsPerBillion: 27_800), rounding: .ceiling),
                FeeRule(
                    name: "TAF", sides: [.sell], basis: .share(billionths: 166_000), maximumMinorUnits: 830,
                    rounding: .ceiling),
            ]),
        FeeTable(
            effectiveFrom: CivilDate("2025-01-01")!,
            rules: [
                FeeRule(
                    name: "COMMISSION", sides: [.buy, .sell], basis: .value(partsPerBillion: 2_000_000),
                    rounding: .floor)
            ]),
    ])

    @Test(arguments: [
        (Side.buy, "2300.00", "10", "2024-06-01", "2.30"),
        (.buy, "1.00", "1", "2024-06-01", "0.01"),  // minimum
        (.sell, "2300.00", "10", "2024-06-01", "2.38"),  // 2.30 + 0.06394 up + 0.00166 up
        (.sell, "10.00", "100000", "2024-06-01", "8.32"),  // TAF at its cap
        (.buy, "2300.00", "10", "2025-01-01", "4.60"),
        (.buy, "2300.00", "10", "2023-12-31", "0.00"),
        (.buy, "0.00", "0", "2024-06-01", "0.00"),
    ])
    func feesByDate(side: Side, value: String, shares: String, date: String, fee: String) throws {
        let sum = TradedSum(value: try Money(value, .usd), quantity: try Quantity(shares))
        let fees = try Self.schedule.fees(on: sum, side: side, tradeDate: try #require(CivilDate(date)))
        #expect(fees == (try Money(fee, .usd)))
    }

    /// However an order is cut into executions, its fees add up to the fees of the whole, and the hold covers all.
    @Test(arguments: seeds)
    func partialFillsPayTheFeesOfTheWhole(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let date = try #require(CivilDate("2024-06-01"))
        for _ in 0..<50 {
            let shares = Int64.random(in: 1...50, using: &generator)
            let limit = Price(unscaled: .random(in: 1...5_000_000, using: &generator))
            var order = makeOrder(type: .limit(limit), quantity: shares)
            let plan = try HoldPlan(
                buying: order.terms, lastPrice: nil, collar: .zero, fees: Self.schedule, tradeDate: date)
            _ = try order.apply(.validated(hold: plan.total), rules: standardRules)
            _ = try order.apply(.held(HoldID("h")), rules: standardRules)
            _ = try order.apply(.queued(at: scriptStart), rules: standardRules)
            var left = shares
            var captured: Int64 = 0
            var paid = Money.zero(.usd)
            var index = 0
            while left > 0 {
                let part = Int64.random(in: 1...left, using: &generator)
                left -= part
                index += 1
                let price = Price(unscaled: .random(in: 1...limit.unscaled, using: &generator))
                let before = TradedSum(value: try order.executions.value, quantity: order.cumQuantity)
                var preview = order.executions
                let id = try ExecutionID("E\(index)")
                func fill(_ fee: Money) throws -> Execution {
                    Execution(
                        id: id, quantity: try Quantity(shares: part), price: price, fee: fee, transactTime: scriptStart)
                }
                _ = try preview.book(fill(.zero(.usd)))
                let after = TradedSum(value: try preview.value, quantity: preview.cumQuantity)
                let fee = try Self.schedule.increment(from: before, to: after, side: .buy, tradeDate: date)
                try paid += fee
                captured += try order.apply(.filled(fill(fee)), rules: standardRules).captured
            }
            let whole = TradedSum(value: try order.executions.value, quantity: order.cumQuantity)
            #expect(try paid == Self.schedule.fees(on: whole, side: .buy, tradeDate: date), "seed \(seed)")
            #expect(captured == (try order.executions.value + paid).minorUnits, "seed \(seed)")
            #expect(captured <= plan.total.minorUnits, "seed \(seed)")
            #expect(order.status == .filled, "seed \(seed)")
        }
    }

    @Test func aLimitOrderHoldsItsLimit() throws {
        let plan = try HoldPlan(
            buying: terms(quantity: "3", limit: "230.05"), lastPrice: nil, collar: BasisPoints(500),
            fees: Self.schedule, tradeDate: try #require(CivilDate("2024-06-01")))
        #expect(try plan.value == Money("690.15", .usd))
        #expect(try plan.fees == Money("0.69", .usd))
        #expect(try plan.total == Money("690.84", .usd))
        #expect(plan.collar == nil)
    }

    @Test func aMarketOrderHoldsTheLastPriceWithItsCollar() throws {
        let plan = try HoldPlan(
            buying: terms(limit: nil), lastPrice: try Price("235.00"), collar: BasisPoints(500), fees: .none,
            tradeDate: try #require(CivilDate("2024-06-01")))
        #expect(try plan.worstPrice == Price("246.75"))
        #expect(try plan.total == Money("246.75", .usd))
        #expect(throws: Denial.self) {
            try HoldPlan(
                buying: terms(limit: nil), lastPrice: nil, collar: BasisPoints(500), fees: .none,
                tradeDate: CivilDate(epochDay: 0))
        }
    }

    @Test func aShortfallIsExchangedExactly() throws {
        let rate = try FXRate(base: .usd, quote: .krw, "1378.35")
        let plan = try FundingPlan(
            required: Money("246.75", .usd), available: Money("46.75", .usd), rate: rate, bufferShare: BasisPoints(100))
        #expect(try plan.shortfall == Money("200.00", .usd))
        #expect(try plan.cost == Money("275670", .krw))
        #expect(try plan.buffer == Money("2757", .krw))
        #expect(try plan.needed == Money("278427", .krw))
        #expect(plan.needsExchange)
        let enough = try FundingPlan(
            required: Money("1.00", .usd), available: Money("46.75", .usd), rate: rate, bufferShare: BasisPoints(100))
        #expect(!enough.needsExchange && enough.needed.isZero)
        #expect(throws: MoneyError.self) {
            try FundingPlan(
                required: Money("1.00", .usd), available: Money("1", .krw), rate: rate, bufferShare: .zero)
        }
    }
}
