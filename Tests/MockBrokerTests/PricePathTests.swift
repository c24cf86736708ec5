import Contracts
import Domain
import MockBroker
import Protobuf
import Testing

/// Prices that move by themselves: functions of time, found by search and not by waiting.
@Suite struct PricePathTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func walk(seed: Int64 = 7, step: Int64 = 10, interval: Duration = .milliseconds(1)) -> RandomWalk {
        RandomWalk(
            symbol: apple, start: Price(unscaled: 200_0000), origin: start, interval: interval, stepBasisPoints: step,
            seed: seed)
    }

    private func isMarketable(_ content: OrderContent) -> (Price) -> Bool { { content.isMarketable(at: $0) } }

    // MARK: The walk

    @Test(arguments: [1, 10, 137, 1000] as [Int64]) func stepsAreBounded(step: Int64) {
        let walk = walk(step: step)
        var last = walk.price(after: 0)
        #expect(last == Price(unscaled: 200_0000))
        var seen: Set<Price> = []
        for number in 1...5000 as ClosedRange<Int64> {
            let price = walk.price(after: number)
            // The largest step, and one tick of rounding.
            #expect(abs(price.unscaled - last.unscaled) <= 200_0000 * step / 10_000 + 100)
            #expect((20_0000...380_0000).contains(price.unscaled))
            seen.insert(price)
            last = price
        }
        #expect(seen.count > 20)
    }

    @Test func itIsAFunctionOfSeedSymbolAndStep() {
        let numbers: [Int64] = [0, 1, 99, 1_000_000, 31_536_000_000]
        #expect(numbers.map(walk().price(after:)) == numbers.map(walk().price(after:)))
        #expect(numbers.dropFirst().map(walk().price(after:)) != numbers.dropFirst().map(walk(seed: 8).price(after:)))
    }

    /// The search passes over most steps, and finds what taking each of them finds.
    @Test(arguments: 1...4 as ClosedRange<Int64>) func theSearchMissesNothing(seed: Int64) {
        var random = SeededGenerator(seed: UInt64(seed))
        let walk = walk(seed: seed, step: [1, 10, 100, 1000][Int(seed) % 4])
        let prices = (0..<3000 as Range<Int64>).map(walk.price(after:))
        for _ in 0..<20 {
            let first = Int64.random(in: 0..<1500, using: &random)
            let steps = first..<Int64.random(in: first + 1...3000, using: &random)
            let limit = prices.randomElement(using: &random)!
            let side = Side.allCases.randomElement(using: &random)!
            let wanted = isMarketable(order("1", side: side, limit: limit))
            let expected = steps.first { wanted(prices[Int($0)]) }
            let found = walk.search(steps, wantsLow: side == .buy, budget: .max, wanted)
            #expect(found == expected.map { .found($0) } ?? .nothing)
            // In small pieces, too.
            var next = steps.lowerBound
            var pieces = 0
            while case .undecided(let from) = walk.search(
                next..<steps.upperBound, wantsLow: side == .buy, budget: 64, wanted)
            {
                #expect(from > next)
                next = from
                pieces += 1
            }
            #expect(
                walk.search(next..<steps.upperBound, wantsLow: side == .buy, budget: 64, wanted)
                    == expected.map { .found($0) } ?? .nothing, "after \(pieces) pieces")
        }
    }

    /// A year of milliseconds: a search takes its budget, and a limit within reach is found with few looks.
    @Test func aYearOfMillisecondsIsSearchedInBoundedWork() {
        let year: Int64 = 365 * 86_400_000
        let walk = walk(step: 1)
        var asked = 0
        let far = walk.search(1..<year, wantsLow: true, budget: 1024) { _ in
            asked += 1
            return false
        }
        // No price is wanted: whole stretches of 18 hours are passed over.
        #expect(far == .nothing)
        #expect(asked < 1024)
        asked = 0
        let near = isMarketable(order("1", limit: Price(unscaled: 190_0000)))
        var next: Int64 = 1
        var looks = 0
        while case .undecided(let from) = walk.search(
            next..<year, wantsLow: true, budget: 1024,
            { price in
                asked += 1
                return near(price)
            })
        {
            next = from
            looks += 1
        }
        guard case .found = walk.search(next..<year, wantsLow: true, budget: 1024, near) else {
            Issue.record("not found in a year")
            return
        }
        #expect(looks < BrokerCoreLooks.aCall)
        #expect(asked <= 1024 * (looks + 1) * 2)
    }

    private enum BrokerCoreLooks { static let aCall = 64 }

    // MARK: The book

    @Test func restingOrdersFillAtTheTouch() throws {
        var desk = Desk()
        let points = [(10, 190), (20, 250), (30, 170), (40, 260)].map {
            PricePoint(time: start + .seconds($0.0), price: Price(unscaled: Int64($0.1) * 10_000))
        }
        desk.take(desk.book.setPath(apple, .replayed(points, before: applePrice), at: desk.now))
        desk.place(order("190", limit: Price(unscaled: 190_0000), timeInForce: .goodTillCancel))
        desk.place(order("180", limit: Price(unscaled: 180_0000), timeInForce: .goodTillCancel))
        desk.place(order("100", limit: Price(unscaled: 100_0000), timeInForce: .goodTillCancel))
        desk.place(order("240", side: .sell, limit: Price(unscaled: 240_0000), timeInForce: .goodTillCancel))
        // Asleep until everything is over.
        desk.advance(milliseconds: 60_000)
        func fill(_ id: String) -> FeedEntry? {
            desk.book.feed.last { desk.book.orders[$0.order].content.key == key(id) && $0.kind == .trade }
        }
        #expect(fill("190")?.at == start + .seconds(10))
        #expect(fill("190")?.lastPrice == Price(unscaled: 190_0000))
        #expect(fill("240")?.at == start + .seconds(20))
        #expect(fill("180")?.at == start + .seconds(30))
        #expect(fill("180")?.lastPrice == Price(unscaled: 170_0000))
        #expect(desk.state("100") == "new 0/1")
        // Market orders, and orders by hand, trade at the price of the moment.
        desk.place(order("market"))
        desk.advance()
        #expect(fill("market")?.lastPrice == Price(unscaled: 260_0000))
        // A price that is set ends the path.
        desk.take(try desk.book.setPrice(apple, Price(unscaled: 99_0000), at: desk.now))
        desk.advance()
        #expect(desk.state("100") == "filled 1/1")
    }

    /// Many short wakes and one long sleep tell the same story, and so does a replay of the records.
    @Test(arguments: 1...5 as ClosedRange<Int64>) func timingChangesNothing(seed: Int64) throws {
        func story(_ steps: [Int64]) throws -> [FeedEntry] {
            var desk = Desk([.fills("fills", .uniform(.zero ... .seconds(5)), parts: 2)])
            let path = PricePath.walk(walk(seed: seed, step: 50, interval: .milliseconds(100)))
            desk.take(desk.book.setPath(apple, path, at: desk.now))
            for number in 1...20 as ClosedRange<Int64> {
                let limit = Price(unscaled: 200_0000 + (number - 10) * 1_5000)
                desk.place(
                    order(
                        "\(number)", side: number.isMultiple(of: 2) ? .buy : .sell, limit: limit, shares: 2,
                        timeInForce: .goodTillCancel))
            }
            for step in steps { desk.advance(milliseconds: step) }
            var replayed = BrokerBook()
            for record in desk.records { try replayed.apply(try BrokerRecord(decoding: record.encoded[...])) }
            #expect(replayed.feed == desk.book.feed)
            #expect(replayed.paths == desk.book.paths)
            // What is still to come is the same after a restart.
            #expect(replayed.recordDue(by: desk.now, venue) == nil)
            return desk.book.feed
        }
        let asleep = try story([600_000])
        let awake = try story(Array(repeating: 1000, count: 600))
        #expect(asleep == awake)
        #expect(asleep.contains { $0.kind == .trade })
    }

    /// A year passes at once, with orders that the walk may never reach; the broker answers meanwhile.
    @Test(.timeLimit(.minutes(1))) func aYearPassesWithoutStalling() async throws {
        try await BrokerFixture.run(scratch) { fixture in
            try await fixture.setClock("2026-11-23T15:00:00Z")
            try await fixture.setPath(.randomWalk(Self.randomWalk(milliseconds: 1, basisPoints: 1)))
            for (number, price) in ["180.00", "150.00", "40.00", "10.00"].enumerated() {
                _ = try await fixture.broker.placeOrder(
                    BrokerFixture.request("\(number)", price: price, timeInForce: .gtc))
            }
            try await fixture.setClock("2027-11-23T15:00:00Z")
            #expect(try await fixture.place("after").order?.ordStatus == .new)
            let orders = try await fixture.truth().orders
            #expect(orders[0].ordStatus == .filled)
            #expect(orders[3].ordStatus == .new)
        }
    }

    // MARK: The contract

    private static func randomWalk(milliseconds: Int64, basisPoints: Int32) -> BrokerRandomWalk {
        BrokerRandomWalk(
            start: WireDecimal(unscaled: 200, scale: 0),
            interval: Google_Protobuf_Duration(Duration.milliseconds(milliseconds)), stepBasisPoints: basisPoints)
    }

    private static func point(_ seconds: Int64, _ dollars: Int64) -> BrokerPricePoint {
        BrokerPricePoint(
            time: Google_Protobuf_Timestamp(start + .seconds(seconds)), price: WireDecimal(unscaled: dollars, scale: 0))
    }

    @Test func pathsAreSetAtRunTimeAndOutliveARestart() async throws {
        try await BrokerFixture.run(scratch, .with { $0.prices = [:] }) { fixture in
            try await fixture.setClock("2026-11-23T15:00:00Z")
            // Times that are past count at once; a constant path is a price.
            try await fixture.setPath(.replayed(BrokerReplayedPrices(points: [Self.point(0, 50)])), of: "OLD")
            try await fixture.setPath(
                .constant(BrokerConstantPrice(price: WireDecimal(unscaled: 3, scale: 0))), of: "C")
            try await fixture.setPath(.randomWalk(Self.randomWalk(milliseconds: 1000, basisPoints: 10)))
            for symbol in ["OLD", "C", "AAPL"] {
                _ = try await fixture.broker.placeOrder(BrokerFixture.request("now-\(symbol)", symbol: symbol))
            }
            let fills = try await fixture.stream(6).compactMap(\.report).filter { $0.execType == .trade }
            let prices = Dictionary(uniqueKeysWithValues: fills.map { ($0.symbol, $0.lastPx?.unscaled) })
            #expect(prices == ["OLD": 50_0000, "C": 3_0000, "AAPL": 200_0000])
        }
        try await BrokerFixture.run(scratch, .with { $0.prices = [:] }) { fixture in
            try await fixture.setClock("2026-11-23T15:01:40Z")
            _ = try await fixture.place("later")
            let walk = RandomWalk(
                symbol: apple, start: Price(unscaled: 200_0000), origin: UnixTime("2026-11-23T15:00:00Z")!,
                interval: .seconds(1), stepBasisPoints: 10, seed: 0)
            #expect(try await fixture.stream(8).last?.report?.lastPx?.unscaled == walk.price(after: 100).unscaled)
        }
    }

    @Test func aReplayedFileIsPartOfTheConfiguration() async throws {
        let points = [PricePoint(time: start + .seconds(60), price: Price(unscaled: 100_0000))]
        let setup = BrokerFixture.Setup.with { $0.replayedPrices = [apple: points] }
        try await BrokerFixture.run(scratch, setup) { fixture in
            _ = try await fixture.place("1", price: "110.00")
            #expect(try await fixture.truth().orders[0].ordStatus == .new)
            await fixture.clock.waitForSleeper(milliseconds: 60_000)
            fixture.clock.advance(milliseconds: 60_000)
            #expect(try await fixture.stream(2).last?.report?.lastPx?.unscaled == 100_0000)
        }
        for wrong in [
            [], [points[0], PricePoint(time: start, price: applePrice)], [PricePoint(time: start, price: .zero)],
        ] {
            await #expect(throws: InvalidSetting.self) {
                try await BrokerFixture.run(scratch, .with { $0.replayedPrices = [apple: wrong] }) { _ in }
            }
        }
    }

    @Test func nonsenseIsRefusedWithItsPath() async throws {
        func walk(_ change: (inout BrokerRandomWalk) -> Void) -> BrokerPricePath.Path {
            var walk = Self.randomWalk(milliseconds: 1, basisPoints: 1)
            change(&walk)
            return .randomWalk(walk)
        }
        let cases: [(String, BrokerPricePath.Path?)] = [
            ("path.path", nil),
            ("path.constant.price", .constant(BrokerConstantPrice())),
            ("path.replayed.points", .replayed(BrokerReplayedPrices())),
            ("path.replayed.points[0].price", .replayed(BrokerReplayedPrices(points: [Self.point(1, 0)]))),
            (
                "path.replayed.points[1].time",
                .replayed(BrokerReplayedPrices(points: [Self.point(1, 1), Self.point(0, 1)]))
            ),
            ("path.random_walk.start", walk { $0.start = WireDecimal(unscaled: -1, scale: 0) }),
            ("path.random_walk.interval", walk { $0.interval = nil }),
            ("path.random_walk.interval", walk { $0.interval = Google_Protobuf_Duration(Duration.microseconds(999)) }),
            ("path.random_walk.step_basis_points", walk { $0.stepBasisPoints = 0 }),
            ("path.random_walk.step_basis_points", walk { $0.stepBasisPoints = 1001 }),
        ]
        try await BrokerFixture.run(scratch) { fixture in
            for (path, wire) in cases {
                let refused = await status { try await fixture.setPath(wire) }
                #expect(refused.flatMap { WireErrorDetail($0) }?.context["field"] == path)
            }
            let both = await status {
                try await fixture.control.setPrice(
                    BrokerSetPriceRequest(
                        symbol: "AAPL", price: WireDecimal(unscaled: 1, scale: 0), path: BrokerPricePath()))
            }
            #expect(both.flatMap { WireErrorDetail($0) }?.context["field"] == "path")
        }
    }
}

extension BrokerFixture {
    fileprivate func setPath(_ path: BrokerPricePath.Path?, of symbol: String = "AAPL") async throws {
        _ = try await control.setPrice(BrokerSetPriceRequest(symbol: symbol, path: BrokerPricePath(path: path)))
    }
}
