import Limits
import Testing

@Suite struct DurationTests {
    @Test(
        arguments: [
            (.zero, 0, 0, 0), (.nanoseconds(1), 1, 0, 0), (.nanoseconds(-1), -1, 0, 0),
            (.microseconds(1_999), 1_999_000, 1_999, 1), (.microseconds(-1_999), -1_999_000, -1_999, -1),
            (.milliseconds(2_500), 2_500_000_000, 2_500_000, 2_500), (.seconds(3), 3_000_000_000, 3_000_000, 3_000),
            // Less than a nanosecond: up there, away elsewhere.
            (Duration(secondsComponent: 1, attosecondsComponent: 1), 1_000_000_001, 1_000_000, 1_000),
            (Duration(secondsComponent: -1, attosecondsComponent: -1), -1_000_000_000, -1_000_000, -1_000),
            // 292 years of nanoseconds, 292 thousand of microseconds, 292 million of milliseconds.
            (.seconds(Int64.max / 1_000_000), .max, 9_223_372_036_854_000_000, 9_223_372_036_854_000),
            (.seconds(Int64.max / 1_000), .max, .max, 9_223_372_036_854_775_000),
            (.seconds(Int64.max), .max, .max, .max), (.seconds(Int64.min), .min, .min, .min),
            (Duration(secondsComponent: .max / 1_000, attosecondsComponent: 999_000_000_000_000_000), .max, .max, .max),
        ] as [(Duration, Int64, Int64, Int64)])
    func wholeUnits(_ duration: Duration, _ nanoseconds: Int64, _ microseconds: Int64, _ milliseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
        #expect(duration.wholeMicroseconds == microseconds)
        #expect(duration.wholeMilliseconds == milliseconds)
    }
}
