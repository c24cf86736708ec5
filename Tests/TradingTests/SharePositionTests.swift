import Domain
import TestSupport
import Testing

@testable import Trading

struct SharePositionTests {
    private func position() throws -> SharePosition {
        SharePosition(
            PositionKey(account: try AccountID("a"), instrument: try InstrumentID("AAPL")),
            customer: try CustomerID("c"), currency: .usd)
    }

    private func execution(_ shares: Int64, _ price: String, _ id: String = "e") throws -> Execution {
        Execution(
            id: try ExecutionID(id), quantity: try Quantity(shares: shares), price: try Price(price), fee: .zero(.usd),
            transactTime: UnixTime(seconds: 0))
    }

    /// Script: `b` buys, `s` sells, `B` and `S` take it back; shares at price.
    @Test(arguments: [
        ("b2@10.00", 2, 2000), ("b2@10.00 b2@20.00", 4, 6000), ("b2@10.00 b2@20.00 s1@99.00", 3, 4500),
        ("b3@10.00 s3@12.00", 0, 0), ("b1@10.00 B1@10.00", 0, 0), ("b2@10.00 b2@20.00 s2@30.00 S2@30.00", 4, 6000),
        ("b1@10.00 s1@12.00 B1@10.00", -1, -1000), ("b1@10.00 s1@12.00 S1@12.00", 1, 1200),
    ])
    func history(_ script: String, _ shares: Int64, _ cents: Int64) throws {
        var position = try position()
        for step in script.split(separator: " ") {
            let parts = step.dropFirst().split(separator: "@")
            let traded = try execution(try #require(Int64(parts[0])), String(parts[1]))
            switch step.first {
            case "b": try position.book(.buy, traded)
            case "s": try position.book(.sell, traded)
            case "B": try position.reverse(.buy, traded)
            default: try position.reverse(.sell, traded)
            }
        }
        #expect(position.quantity == (try Quantity(shares: shares)))
        #expect(position.cost == Money(minorUnits: cents, currency: .usd))
    }

    @Test func sharesAreSetAsideOnce() throws {
        var position = try position()
        try position.book(.buy, execution(3, "10.00"))
        let two = try Quantity(shares: 2)
        let first = position.reserve(two)
        let second = position.reserve(two)
        position.release(two)
        let all = position.reserve(try Quantity(shares: 3))
        #expect([first, second, all] == [true, false, true])
        #expect(position.available.isZero)
    }

    @Test func aSumThatDoesNotFitChangesNothing() throws {
        var position = try position()
        try position.book(.buy, execution(9_000_000_000, "0.01"))
        let before = position
        #expect(throws: PositionOverflow.self) { try position.book(.buy, try execution(9_000_000_000, "0.01")) }
        #expect(position == before)
    }

    @Test(arguments: Array(1...20) as [UInt64])
    func quantityIsTheSignedSumAndReversalsCancel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var position = try position()
        var sum: Int64 = 0
        var bought: [Execution] = []
        for number in 0..<200 {
            let shares = Int64.random(in: 1...50, using: &random)
            let traded = try execution(shares, "\(Int.random(in: 1...500, using: &random)).25", "e\(number)")
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                try position.book(.buy, traded)
                bought.append(traded)
                sum += shares
            case 2:
                try position.book(.sell, traded)
                sum -= shares
            default:
                guard let old = bought.popLast() else { continue }
                try position.reverse(.buy, old)
                sum -= old.quantity.unscaled / 1_000_000_000
            }
            #expect(position.quantity == (try Quantity(shares: sum)), "seed \(seed)")
        }
    }
}
