import Domain
import Testing

@testable import FXSaga

@Suite struct DailyRatesTests {
    private static let rates = DailyRates()

    @Test func holdsEveryPublishedDay() {
        #expect(Self.rates.count == 7_126)
        #expect(Self.rates.firstDate == CivilDate("1999-01-04"))
        #expect(Self.rates.lastDate == CivilDate("2026-10-30"))
    }

    @Test(arguments: [
        ("1999-01-04", "1186.35", "1999-01-04"),
        ("1999-01-05", "1164.55", "1999-01-05"),
        ("2026-10-30", "1335.27", "2026-10-30"),
        ("2026-10-31", "1335.27", "2026-10-30"),  // a Saturday takes Friday's rate
        ("2030-01-01", "1335.27", "2026-10-30"),
        ("2026-10-28", "1340.47", "2026-10-28"),
    ])
    func lastRateOnOrBefore(_ day: String, _ rate: String, _ published: String) throws {
        let found = try Self.rates.rate(on: try #require(CivilDate(day)))
        #expect(found.rate == (try FXRate(base: .usd, quote: .krw, rate)))
        #expect(found.date == CivilDate(published))
        #expect(found.id.text == "ECB-USD-KRW-\(published)")
    }

    @Test func beforeTheFirstDayThereIsNone() throws {
        let day = try #require(CivilDate("1999-01-03"))
        #expect(throws: RateUnavailable.beforeFirst(day)) { try Self.rates.rate(on: day) }
    }

    @Test func answersThePairEitherWayRoundAndNoOther() async throws {
        let rates = DailyRates(asOf: CivilDate("2026-10-29"))
        let one = try await rates.rate(between: .usd, and: .krw)
        let other = try await rates.rate(between: .krw, and: .usd)
        #expect(one == other)
        #expect(one.rate.text == "1337.29")
        await #expect(throws: RateUnavailable.unknownPair(.usd, .usd)) {
            try await rates.rate(between: .usd, and: .usd)
        }
    }

    @Test(arguments: [
        ("h\n", DailyRatesError.empty),
        ("h\n2026-01-01,1300.25\nx\n", .malformedLine(3)),
        ("h\n2026-01-01,1300.2\n", .malformedLine(2)),
        ("h\n2026-01-01,-300.25\n", .malformedLine(2)),
        ("h\n2026-01-01,0.00\n", .malformedLine(2)),
        ("h\n2026-02-30,1300.25\n", .malformedLine(2)),
        ("h\n2026-01-02,1300.25\n2026-01-02,1300.25\n", .notAscending(3)),
    ])
    func refusesWhatIsNoListOfRates(_ text: String, _ error: DailyRatesError) {
        #expect(throws: error) { try DailyRates(parsing: text, asOf: nil) }
    }
}
