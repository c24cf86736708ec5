import Domain
import FoundationEssentials
import Testing

@Suite struct CivilDateTests {
    @Test(arguments: [
        ("1970-01-01", 0, Weekday.thursday), ("1969-12-31", -1, .wednesday), ("2000-02-29", 11016, .tuesday),
        ("2026-11-21", 20778, .saturday), ("0001-01-01", -719_162, .monday), ("9999-12-31", 2_932_896, .friday),
    ])
    func knownDays(text: String, epochDay: Int32, weekday: Weekday) throws {
        let date = try #require(CivilDate(text))
        #expect(date.epochDay == epochDay)
        #expect(date.weekday == weekday)
        #expect(date.description == text)
    }

    @Test(arguments: [
        "", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-01", "26-01-01", "2026/01/01", "2026-01-0x",
        "1900-02-29", "0000-01-01", "2026-01-011",
    ])
    func textsThatAreNoDates(text: String) { #expect(CivilDate(text) == nil) }

    @Test func everyDayOfFourCenturiesRoundTrips() {
        var date = CivilDate("1799-12-31")!
        for _ in 0..<146_100 {
            let (year, month, day) = date.components
            let same = CivilDate(year: year, month: month, day: day)
            if same != date { Issue.record("\(date)") }
            let next = date + 1
            if !(next > date) || next - date != 1 { Issue.record("\(date)") }
            date = next
        }
    }
}

@Suite struct UnixTimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-21T01:02:03Z", 1_795_222_923_000_000_000),
        ("2026-11-21T01:02:03.500Z", 1_795_222_923_500_000_000), ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-21T01:02:03.000001Z", 1_795_222_923_000_001_000),
    ])
    func knownInstants(text: String, nanoseconds: Int64) throws {
        let time = try #require(UnixTime(text))
        #expect(time.nanoseconds == nanoseconds)
        #expect(time.description == text)
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T01:02:03", "2026-11-21 01:02:03Z", "2026-11-21T24:00:00Z", "2026-11-21T01:60:00Z",
        "2026-11-21T01:02:60Z", "2026-11-21T01:02:03.Z", "2026-11-21T01:02:03.1234567890Z", "2026-11-21T01:02:03+09:00",
        "2026-11-31T01:02:03Z", "9999-01-01T00:00:00Z",
    ])
    func textsThatAreNoInstants(text: String) { #expect(UnixTime(text) == nil) }

    @Test func arithmeticHoldsAtTheEnds() {
        let end = UnixTime(nanoseconds: .max)
        #expect(end + .seconds(1) == end)
        #expect(UnixTime(nanoseconds: .min) - .seconds(1) == UnixTime(nanoseconds: .min))
        #expect(UnixTime(milliseconds: .max) == end)
        #expect(UnixTime(seconds: 10) - UnixTime(seconds: 7) == .seconds(3))
        #expect(UnixTime(nanoseconds: .max) - UnixTime(nanoseconds: .min) > .seconds(18_000_000_000))
        #expect(UnixTime(nanoseconds: -1).milliseconds == -1)
        #expect(UnixTime(nanoseconds: -1).nanos == 999_999_999)
        #expect(UnixTime(seconds: 1, nanos: 1_000_000_000) == nil)
        #expect(UnixTime(seconds: 1, nanos: -1) == nil)
        #expect(UnixTime(seconds: .max, nanos: 0) == nil)
    }
}

@Suite struct ZoneTests {
    @Test(arguments: [
        ("2026-03-08T06:59:59Z", -5), ("2026-03-08T07:00:00Z", -4), ("2026-11-01T05:59:59Z", -4),
        ("2026-11-01T06:00:00Z", -5), ("2026-07-01T00:00:00Z", -4), ("2026-01-01T00:00:00Z", -5),
        ("2025-03-09T07:00:00Z", -4), ("2025-11-02T06:00:00Z", -5),
    ])
    func newYorkSwitches(text: String, hours: Int) throws {
        #expect(NewYork.offsetSeconds(at: try #require(UnixTime(text))) == hours * 3600)
    }

    @Test(arguments: [
        ("2026-11-21T14:59:59Z", "2026-11-21"), ("2026-11-21T15:00:00Z", "2026-11-22"),
        ("2026-12-31T15:00:00Z", "2027-01-01"),
    ])
    func seoulDates(text: String, date: String) throws {
        let time = try #require(UnixTime(text))
        #expect(Seoul.date(at: time).description == date)
        let midnight = Seoul.midnight(of: Seoul.date(at: time))
        #expect(midnight <= time && time - midnight < .seconds(86_400))
    }

    @Test func wallTimesAroundTheSwitches() throws {
        let spring = try #require(CivilDate("2026-03-08"))
        #expect(NewYork.instant(spring, minutes: 60).description == "2026-03-08T06:00:00Z")
        #expect(NewYork.instant(spring, minutes: 180).description == "2026-03-08T07:00:00Z")
        let autumn = try #require(CivilDate("2026-11-01"))
        #expect(NewYork.instant(autumn, minutes: 60).description == "2026-11-01T05:00:00Z")
        #expect(NewYork.instant(autumn, minutes: 120).description == "2026-11-01T07:00:00Z")
    }
}

@Suite struct NYSECalendarTests {
    let calendar = NYSECalendar.standard

    /// Every day of eight years against the published sessions.
    @Test func agreesWithThePublishedSessions() throws {
        let path = #filePath.replacing("Calendar/CalendarTests.swift", with: "Fixtures/xnys_sessions.csv")
        let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
        var published: [CivilDate: (open: UnixTime, close: UnixTime)] = [:]
        for row in rows {
            let columns = row.split(separator: ",").map(String.init)
            published[try #require(CivilDate(columns[0]))] = (
                try #require(UnixTime(columns[1])), try #require(UnixTime(columns[2]))
            )
        }
        #expect(published.count == rows.count && rows.count > 1900)
        var date = try #require(CivilDate("2020-01-01"))
        let end = try #require(CivilDate("2027-10-31"))
        while date <= end {
            let session = calendar.session(on: date)
            #expect(session?.opensAt == published[date]?.open, "\(date)")
            #expect(session?.closesAt == published[date]?.close, "\(date)")
            if let session {
                #expect(calendar.marketSession(at: session.opensAt) == .core, "\(date)")
                #expect(calendar.marketSession(at: session.opensAt - .nanoseconds(1)) == .pre, "\(date)")
                #expect(calendar.marketSession(at: session.closesAt) == .post, "\(date)")
                #expect(calendar.tradeDate(at: session.opensAt) == date, "\(date)")
                #expect(calendar.currentOrNextSession(at: session.opensAt) == session, "\(date)")
                #expect(calendar.currentOrNextSession(at: session.closesAt - .nanoseconds(1)) == session, "\(date)")
                #expect(calendar.currentOrNextSession(at: session.closesAt).tradeDate > date, "\(date)")
            }
            date = date + 1
        }
    }

    @Test(arguments: [
        ("2026-11-20T14:30:00Z", MarketSession.core, "2026-11-20"),
        ("2026-11-20T09:00:00Z", .pre, "2026-11-20"),
        ("2026-11-20T08:59:59Z", .overnight, "2026-11-20"),
        ("2026-11-20T21:00:00Z", .post, "2026-11-20"),
        ("2026-11-21T01:00:00Z", .closed, "2026-11-23"),  // Friday 20:00
        ("2026-11-21T17:00:00Z", .closed, "2026-11-23"),  // Saturday
        ("2026-11-23T01:00:00Z", .overnight, "2026-11-23"),  // Sunday 20:00
        ("2026-11-26T15:00:00Z", .closed, "2026-11-27"),  // Thanksgiving
        ("2026-11-27T18:00:00Z", .post, "2026-11-27"),  // half day, 13:00
        ("2026-11-27T22:00:00Z", .closed, "2026-11-27"),  // half day, 17:00
        ("2026-11-27T00:59:59Z", .closed, "2026-11-27"),
        ("2026-11-27T01:00:00Z", .overnight, "2026-11-27"),
        ("2026-07-01T13:30:00Z", .core, "2026-07-01"),  // summer: an hour earlier
        ("2026-07-01T13:29:59Z", .pre, "2026-07-01"),
    ])
    func partsOfTheDay(text: String, session: MarketSession, tradeDate: String) throws {
        let time = try #require(UnixTime(text))
        #expect(calendar.marketSession(at: time) == session)
        #expect(calendar.tradeDate(at: time).description == tradeDate)
    }

    @Test func settlementFollowsTradingDays() throws {
        #expect(calendar.tradingDay(after: try #require(CivilDate("2024-12-31"))).description == "2025-01-02")
        #expect(calendar.tradingDay(after: try #require(CivilDate("2025-01-08"))).description == "2025-01-10")
        #expect(calendar.tradingDay(after: try #require(CivilDate("2021-12-30"))).description == "2021-12-31")
    }
}
