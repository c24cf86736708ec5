import Domain
import Testing

@Suite struct PositionTests {
    private func booked(_ trades: [(Side, Int64, String)]) throws -> Position {
        var position = Position(currency: .usd)
        for (index, (side, shares, price)) in trades.enumerated() {
            try position.book(
                SignedExecution(side: side, execution: execution("T\(index)", shares, at: price, time: Int64(index))))
        }
        return position
    }

    @Test func lotsCloseFirstInFirstOut() throws {
        let position = try booked([(.buy, 10, "100.00"), (.buy, 10, "110.00"), (.sell, 15, "120.00")])
        #expect(try position.quantity == Quantity(shares: 5))
        let (open, closings) = position.lots
        #expect(open.map(\.execution.text) == ["T1"])
        #expect(try open.map(\.quantity) == [Quantity(shares: 5)])
        #expect(closings.map(\.opened.text) == ["T0", "T1"])
        #expect(try closings.map(\.quantity) == [Quantity(shares: 10), Quantity(shares: 5)])
        #expect(try position.cost == Money("550.00", .usd))
        #expect(try position.averageCost == Price("110.00"))
    }

    @Test func averageCostWeighsLots() throws {
        let position = try booked([(.buy, 1, "100.00"), (.buy, 2, "101.00")])
        #expect(try position.averageCost == Price("100.6667"))
        #expect(try position.cost == Money("302.00", .usd))
    }

    @Test func aBustOfSoldSharesLeavesAShortPosition() throws {
        var position = try booked([(.buy, 10, "100.00"), (.sell, 10, "120.00")])
        #expect(position.lots.open.isEmpty)
        try position.reverse(ExecutionID("T0"))
        #expect(position.isShort)
        #expect(try position.quantity == Quantity(shares: -10))
        #expect(try position.cost == Money("-1200.00", .usd))
        #expect(position.averageCost == nil)
        try position.reverse(ExecutionID("T0"))
        #expect(try position.quantity == Quantity(shares: -10))
    }

    @Test func crossingZeroOpensTheOtherWay() throws {
        let position = try booked([(.sell, 5, "10.00"), (.buy, 8, "9.00")])
        let (open, closings) = position.lots
        #expect(try open.map(\.quantity) == [Quantity(shares: 3)])
        #expect(closings.first?.wasShort == true)
    }

    @Test func sumsThatDoNotFitAreErrors() throws {
        var position = Position(currency: .usd)
        func trade(_ id: String) throws -> SignedExecution {
            SignedExecution(
                side: .buy,
                execution: Execution(
                    id: try ExecutionID(id), quantity: Quantity(unscaled: .max), price: Price(unscaled: .max),
                    fee: .zero(.usd), transactTime: scriptStart))
        }
        try position.book(trade("A"))
        #expect(throws: BookingError.outOfRange) { try position.book(trade("B")) }
        #expect(throws: MoneyError.overflow) { try position.cost }
        #expect(throws: BookingError.self) {
            try position.book(SignedExecution(side: .buy, execution: execution("C", 0)))
        }
    }

    /// Any order of arrival with duplicates gives one position; lots add up to it.
    @Test(arguments: seeds)
    func arrivalDoesNotMatter(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var trades: [SignedExecution] = []
        for index in 0..<Int.random(in: 1...30, using: &generator) {
            let side: Side = Bool.random(using: &generator) ? .buy : .sell
            let price = Money(minorUnits: .random(in: 100...9999, using: &generator), currency: .usd).text
            trades.append(
                SignedExecution(
                    side: side,
                    execution: execution(
                        "T\(index)", .random(in: 1...9, using: &generator), at: price, time: Int64(index / 2))))
        }
        var reference = Position(currency: .usd)
        for trade in trades { try reference.book(trade) }
        for _ in 0..<10 {
            var other = Position(currency: .usd)
            let arrivals = (trades + trades.filter { _ in Bool.random(using: &generator) }).shuffled(using: &generator)
            for trade in arrivals { try other.book(trade) }
            #expect(other == reference, "seed \(seed)")
            #expect(other.lots.open == reference.lots.open, "seed \(seed)")
            let sum = other.lots.open.reduce(0) { $0 + $1.quantity.unscaled }
            #expect(sum == other.quantity.unscaled, "seed \(seed)")
            #expect(other.lots.open.allSatisfy { $0.quantity.isNegative == other.isShort }, "seed \(seed)")
        }
    }
}
