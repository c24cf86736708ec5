/// The value of `grpc-timeout`: one to eight digits and a unit.
///
/// Source: gRPC over HTTP/2, "Requests", Timeout.
public enum TimeoutHeader {
    private static let units: [(symbol: UInt8, nanoseconds: Int64)] = [
        (UInt8(ascii: "n"), 1), (UInt8(ascii: "u"), 1_000), (UInt8(ascii: "m"), 1_000_000),
        (UInt8(ascii: "S"), 1_000_000_000), (UInt8(ascii: "M"), 60_000_000_000), (UInt8(ascii: "H"), 3_600_000_000_000),
    ]

    /// The finest unit that fits, rounded up; a time-out that has passed already is sent as one nanosecond.
    public static func encode(_ timeout: Duration) -> [UInt8] {
        let nanoseconds = max(1, nanoseconds(timeout))
        for unit in units {
            let count = nanoseconds / unit.nanoseconds + (nanoseconds % unit.nanoseconds == 0 ? 0 : 1)
            if count <= 99_999_999 { return Array(String(count).utf8) + [unit.symbol] }
        }
        return Array("99999999H".utf8)
    }

    /// Nil when the text does not follow the grammar. Values past 292 years are cut to that.
    public static func decode(_ text: some BidirectionalCollection<UInt8>) -> Duration? {
        guard let symbol = text.last, (2...9).contains(text.count) else { return nil }
        guard let unit = units.first(where: { $0.symbol == symbol }) else { return nil }
        var count: Int64 = 0
        for digit in text.dropLast() {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            count = count * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit.nanoseconds)
        return .nanoseconds(overflow ? Int64.max : product)
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? 0 : Int64.max }
        let fraction = attoseconds / 1_000_000_000 + (attoseconds % 1_000_000_000 > 0 ? 1 : 0)
        let (sum, carry) = scaled.addingReportingOverflow(fraction)
        return carry ? Int64.max : sum
    }
}
