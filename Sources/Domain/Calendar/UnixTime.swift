/// An instant in UTC: nanoseconds since 1970-01-01T00:00:00Z without leap seconds, years 1678 to 2261.
public struct UnixTime: Hashable, Comparable, Sendable {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The instant `milliseconds` after the epoch, held at the ends of the range.
    public init(milliseconds: Int64) { nanoseconds = Self.saturating(Int128(milliseconds) * 1_000_000) }

    /// The instant `seconds` after the epoch, held at the ends of the range.
    public init(seconds: Int64) { nanoseconds = Self.saturating(Int128(seconds) * 1_000_000_000) }

    /// The instant of a wire time stamp, or nil when `nanos` is not 0 to 999,999,999 or the instant is out of range.
    public init?(seconds: Int64, nanos: Int32) {
        guard (0...999_999_999).contains(nanos) else { return nil }
        guard let exact = Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(nanos)) else { return nil }
        nanoseconds = exact
    }

    /// Whole milliseconds since the epoch, toward the past.
    public var milliseconds: Int64 { Self.floorDivide(nanoseconds, 1_000_000) }
    /// Whole seconds since the epoch, toward the past.
    public var seconds: Int64 { Self.floorDivide(nanoseconds, 1_000_000_000) }
    /// The nanoseconds past `seconds`, 0 to 999,999,999.
    public var nanos: Int32 { Int32(nanoseconds - seconds * 1_000_000_000) }

    public static func < (a: UnixTime, b: UnixTime) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant `duration` later, held at the ends of the range.
    public static func + (time: UnixTime, duration: Duration) -> UnixTime {
        UnixTime(nanoseconds: saturating(Int128(time.nanoseconds) + wholeNanoseconds(duration)))
    }

    public static func - (time: UnixTime, duration: Duration) -> UnixTime {
        UnixTime(nanoseconds: saturating(Int128(time.nanoseconds) - wholeNanoseconds(duration)))
    }

    /// The time that passed from `earlier` to `later`.
    public static func - (later: UnixTime, earlier: UnixTime) -> Duration {
        let difference = Int128(later.nanoseconds) - Int128(earlier.nanoseconds)
        let (seconds, nanos) = difference.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Duration(secondsComponent: Int64(seconds), attosecondsComponent: Int64(nanos) * 1_000_000_000)
    }

    private static func wholeNanoseconds(_ duration: Duration) -> Int128 {
        let (seconds, attoseconds) = duration.components
        return Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
    }

    private static func saturating(_ value: Int128) -> Int64 { Int64(clamping: value) }

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
