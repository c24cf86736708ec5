import Domain
import Testing

@Suite struct MoneyTests {
    @Test(arguments: [
        ("0", Currency.krw, 0), ("1500000", .krw, 1_500_000), ("-1", .krw, -1), ("230.05", .usd, 23005),
        ("230.5", .usd, 23050), ("230", .usd, 23000), ("0.10", .usd, 10), ("-0.01", .usd, -1),
        ("230.0500", .usd, 23005),
        ("9223372036854775807", .krw, Int64.max), ("-9223372036854775808", .krw, .min),
        ("92233720368547758.07", .usd, .max),
    ])
    func amountsAreReadExactly(text: String, currency: Currency, minorUnits: Int64) throws {
        let money = try Money(text, currency)
        #expect(money.minorUnits == minorUnits)
        #expect(try Money(money.text, currency) == money)
    }

    @Test(arguments: [
        ("", Currency.usd, DecimalError.malformed), ("-", .usd, .malformed), (".5", .usd, .malformed),
        ("5.", .usd, .malformed), ("1e3", .usd, .malformed), ("+1", .usd, .malformed), (" 1", .usd, .malformed),
        ("1,000", .usd, .malformed), ("1.2.3", .usd, .malformed), ("--1", .usd, .malformed), ("NaN", .usd, .malformed),
        ("1.00x", .usd, .malformed), ("\u{0661}", .usd, .malformed),
        (String(repeating: "0", count: 41), .usd, .malformed),
        ("1.001", .usd, .tooManyDecimals(limit: 2)), ("0.5", .krw, .tooManyDecimals(limit: 0)),
        ("9223372036854775808", .krw, .outOfRange), ("-9223372036854775809", .krw, .outOfRange),
        ("92233720368547758.08", .usd, .outOfRange), ("9999999999999999999999999999999999999999", .krw, .outOfRange),
    ])
    func textThatIsNoExactAmountIsRefused(text: String, currency: Currency, error: DecimalError) {
        #expect(throws: error) { try Money(text, currency) }
    }

    @Test func currenciesDoNotMix() {
        let won = Money(minorUnits: 1, currency: .krw)
        let cent = Money(minorUnits: 1, currency: .usd)
        #expect(throws: MoneyError.currencyMismatch(.krw, .usd)) { try won + cent }
        #expect(throws: MoneyError.currencyMismatch(.krw, .usd)) { try won - cent }
        #expect(throws: MoneyError.currencyMismatch(.krw, .usd)) { try won < cent }
        #expect(throws: MoneyError.currencyMismatch(.usd, .krw)) { try won > cent }
        #expect(throws: MoneyError.currencyMismatch(.usd, .krw)) { try Money.sum([won], in: .usd) }
    }

    @Test func overflowIsAnError() {
        let most = Money(minorUnits: .max, currency: .krw)
        let least = Money(minorUnits: .min, currency: .krw)
        let one = Money(minorUnits: 1, currency: .krw)
        #expect(throws: MoneyError.overflow) { try most + one }
        #expect(throws: MoneyError.overflow) { try least - one }
        #expect(throws: MoneyError.overflow) { try -least }
        #expect(throws: MoneyError.overflow) { try Money.sum([most, one, one], in: .krw) }
    }

    @Test func amountsOfOneCurrencyCompare() throws {
        let a = Money(minorUnits: -5, currency: .usd)
        let b = Money(minorUnits: 7, currency: .usd)
        #expect(try a < b && b > a && a <= a && a >= a && b >= a && a <= b)
        #expect(try Money.least(a, b) == a && Money.least(b, a) == a)
        #expect(try Money.sum([a, b, b], in: .usd) == Money("0.09", .usd))
        #expect(a.isNegative && b.isPositive && Money.zero(.usd).isZero)
        #expect(b.description == "USD 0.07")
    }

    @Test(arguments: [
        ("230.05", "1", RoundingRule.halfUp, 23005), ("0.0001", "1", .floor, 0), ("0.0001", "1", .ceiling, 1),
        ("0.005", "1", .halfUp, 1), ("0.005", "1", .halfEven, 0), ("0.015", "1", .halfEven, 2),
        ("-0.005", "1", .halfUp, -1), ("-0.005", "1", .floor, -1), ("-0.005", "1", .ceiling, 0),
        ("229.87", "0.123456789", .floor, 2837), ("229.87", "0.123456789", .ceiling, 2838),
        ("922337203685477.5807", "1", .floor, 92_233_720_368_547_758),
    ])
    func valueOfShares(price: String, quantity: String, rule: RoundingRule, cents: Int64) throws {
        let value = try Money(Price(price), times: Quantity(quantity), in: .usd, rounding: rule)
        #expect(value == Money(minorUnits: cents, currency: .usd))
    }

    @Test func valueTooLargeIsAnError() {
        let price = Price(unscaled: .max)
        #expect(throws: MoneyError.overflow) {
            try Money(price, times: Quantity(unscaled: .max), in: .krw, rounding: .floor)
        }
    }

    @Test(arguments: seeds)
    func moneyTextIsReadBack(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            for currency in Currency.allCases {
                let money = Money(minorUnits: generator.anyInt64(), currency: currency)
                #expect(try Money(money.text, currency) == money, "seed \(seed)")
            }
            let price = Price(unscaled: generator.anyInt64())
            #expect(try Price(price.description) == price, "seed \(seed)")
            let quantity = Quantity(unscaled: generator.anyInt64())
            #expect(try Quantity(quantity.description) == quantity, "seed \(seed)")
        }
    }

    @Test(arguments: seeds)
    func randomTextNeverTraps(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("0123456789.-+eE ,\u{0}é".unicodeScalars)
        for _ in 0..<500 {
            let count = Int.random(in: 0...45, using: &generator)
            var text = ""
            for _ in 0..<count { text.unicodeScalars.append(alphabet.randomElement(using: &generator)!) }
            _ = try? Money(text, .usd)
            _ = try? Quantity(text)
            _ = try? FXRate(base: .usd, quote: .krw, text)
        }
    }
}

@Suite struct RoundingTests {
    @Test(arguments: [
        (7, 2, 3, 4, 4, 4), (5, 2, 2, 3, 2, 3), (-5, 2, -3, -2, -2, -3), (-7, 2, -4, -3, -4, -4), (6, 2, 3, 3, 3, 3),
        (1, 3, 0, 1, 0, 0), (-1, 3, -1, 0, 0, 0), (2, 3, 0, 1, 1, 1), (0, 5, 0, 0, 0, 0), (1, 2, 0, 1, 0, 1),
    ])
    func quotients(_ n: Int, _ d: Int, floor: Int, ceiling: Int, halfEven: Int, halfUp: Int) {
        func rounded(_ rule: RoundingRule) -> Int { Int(rule.quotient(Int128(n), by: Int128(d))) }
        #expect(rounded(.floor) == floor)
        #expect(rounded(.ceiling) == ceiling)
        #expect(rounded(.halfEven) == halfEven)
        #expect(rounded(.halfUp) == halfUp)
    }

    @Test func extremesDoNotTrap() {
        for rule in RoundingRule.allCases {
            #expect(rule.quotient(.min, by: 1) == .min)
            #expect(rule.quotient(.max, by: .max) == 1)
            _ = rule.quotient(.min, by: .max)
            _ = rule.quotient(.max - 1, by: .max)
        }
    }

    @Test(arguments: [(1, 100, 1), (1_000_000, 25, 2500), (999, 25, 3), (-999, 25, -2)])
    func basisPointsOfMoney(amount: Int64, points: Int32, expected: Int64) throws {
        let share = try BasisPoints(points).share(of: Money(minorUnits: amount, currency: .krw), rounding: .ceiling)
        #expect(share.minorUnits == expected)
    }
}

@Suite struct FixedPointTests {
    @Test(arguments: [
        ("230", "230.00"), ("230.1", "230.10"), ("0.0001", "0.0001"), ("-1.5", "-1.50"), ("0", "0.00"),
        ("10.0500", "10.05"),
    ])
    func pricesPrintAtLeastTwoPlaces(text: String, printed: String) throws {
        #expect(try Price(text).description == printed)
    }

    @Test(arguments: [("1", "1"), ("0.5", "0.5"), ("1.000000001", "1.000000001"), ("100", "100"), ("-2.50", "-2.5")])
    func quantitiesPrintNoTrailingZeros(text: String, printed: String) throws {
        #expect(try Quantity(text).description == printed)
    }

    @Test func wireDecimalsAreTakenExactly() throws {
        #expect(try Price(unscaled: 23005, scale: 2) == Price("230.05"))
        #expect(try Price(unscaled: 23_005_000_000, scale: 8) == Price("230.05"))
        #expect(throws: DecimalError.tooManyDecimals(limit: 4)) { try Price(unscaled: 1, scale: 5) }
        #expect(throws: DecimalError.outOfRange) { try Quantity(unscaled: .max, scale: 0) }
        #expect(throws: DecimalError.outOfRange) { try Quantity(unscaled: 1, scale: -1) }
        #expect(throws: DecimalError.outOfRange) { try Quantity(unscaled: 1, scale: 19) }
        #expect(throws: DecimalError.outOfRange) { try Quantity(shares: 9_223_372_037) }
        #expect(try Quantity(shares: 9_223_372_036).isWhole)
        #expect(try !Quantity("0.5").isWhole)
    }

    @Test func arithmeticIsChecked() throws {
        #expect(try Quantity("1.5") + Quantity("0.5") == Quantity(shares: 2))
        #expect(try Quantity("1.5") - Quantity("2") == Quantity("-0.5"))
        #expect(throws: DecimalError.outOfRange) { try Price(unscaled: .max) + Price(unscaled: 1) }
        #expect(throws: DecimalError.outOfRange) { try -Price(unscaled: .min) }
    }
}

@Suite struct FXRateTests {
    let rate = try! FXRate(base: .usd, quote: .krw, "1378.35")

    @Test(arguments: [
        ("1.00", RoundingRule.floor, 1378), ("1.00", .ceiling, 1379), ("0.01", .floor, 13), ("0.01", .ceiling, 14),
        ("100.00", .floor, 137_835), ("100.00", .ceiling, 137_835), ("0", .ceiling, 0),
    ])
    func dollarsToWon(dollars: String, rule: RoundingRule, won: Int64) throws {
        #expect(try rate.convert(Money(dollars, .usd), rounding: rule) == Money(minorUnits: won, currency: .krw))
    }

    @Test(arguments: [
        ("1379", RoundingRule.floor, 100), ("1378", .floor, 99), ("1378", .ceiling, 100), ("137835", .floor, 10000),
        ("1", .floor, 0), ("1", .ceiling, 1),
    ])
    func wonToDollars(won: String, rule: RoundingRule, cents: Int64) throws {
        #expect(try rate.convert(Money(won, .krw), rounding: rule) == Money(minorUnits: cents, currency: .usd))
    }

    @Test func aRatePerHundredUnits() throws {
        let perHundred = try FXRate(base: .usd, quote: .krw, "137835", unit: 100)
        #expect(try perHundred.cost(toBuy: Money("1.00", .usd)) == Money("1379", .krw))
        #expect(try perHundred.proceeds(ofSelling: Money("137835", .krw)) == Money("100.00", .usd))
    }

    @Test func badRatesAreRefused() {
        #expect(throws: FXRateError.sameCurrency(.usd)) { try FXRate(base: .usd, quote: .usd, "1") }
        #expect(throws: FXRateError.outOfRange) { try FXRate(base: .usd, quote: .krw, "0") }
        #expect(throws: FXRateError.outOfRange) { try FXRate(base: .usd, quote: .krw, "-1") }
        #expect(throws: FXRateError.outOfRange) { try FXRate(base: .usd, quote: .krw, "1.0000000001") }
        #expect(throws: FXRateError.outOfRange) { try FXRate(base: .usd, quote: .krw, "1", unit: 0) }
        #expect(throws: FXRateError.malformed(.malformed)) { try FXRate(base: .usd, quote: .krw, "x") }
        #expect(throws: FXRateError.malformed(.malformed)) { try FXRate(base: .usd, quote: .krw, "1.") }
    }

    @Test func conversionsTooLargeAreErrors() throws {
        let extreme = try FXRate(base: .usd, quote: .krw, mantissa: .max, scale: 0)
        #expect(throws: MoneyError.overflow) {
            try extreme.convert(Money(minorUnits: .max, currency: .usd), rounding: .floor)
        }
        let tiny = try FXRate(base: .usd, quote: .krw, mantissa: 1, scale: 9)
        #expect(throws: MoneyError.overflow) {
            try tiny.convert(Money(minorUnits: .max, currency: .krw), rounding: .floor)
        }
    }

    /// Buying and selling back never earns the customer anything, and the cost always buys what was asked.
    @Test(arguments: seeds)
    func roundTripsNeverFavourTheCustomer(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let mantissa = Int64.random(in: 1...10_000_000, using: &generator)
            let scale = Int.random(in: 0...6, using: &generator)
            let rate = try FXRate(base: .usd, quote: .krw, mantissa: mantissa, scale: scale)
            let dollars = Money(minorUnits: .random(in: 0...100_000_000, using: &generator), currency: .usd)
            let cost = try rate.cost(toBuy: dollars)
            #expect(try rate.proceeds(ofSelling: dollars) <= cost, "seed \(seed) rate \(rate) \(dollars)")
            #expect(try rate.proceeds(ofSelling: cost) >= dollars, "seed \(seed) rate \(rate) \(dollars)")
            let won = Money(minorUnits: .random(in: 0...100_000_000, using: &generator), currency: .krw)
            #expect(
                try rate.proceeds(ofSelling: rate.proceeds(ofSelling: won)) <= won, "seed \(seed) rate \(rate) \(won)")
        }
    }
}
