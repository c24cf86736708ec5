internal import Limits

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
        let nanoseconds = max(1, timeout.wholeNanoseconds)
        for unit in units {
            let count = nanoseconds / unit.nanoseconds + (nanoseconds % unit.nanoseconds == 0 ? 0 : 1)
            if count <= 99_999_999 { return Array(String(count).utf8) + [unit.symbol] }
        }
        return Array("99999999H".utf8)
    }

    /// In nanoseconds; nil when the text does not follow the grammar. Values past 292 years are cut to that.
    public static func decode(_ text: Span<UInt8>) -> Int64? {
        guard (2...9).contains(text.count) else { return nil }
        let last = text.count - 1
        let unit: Int64
        switch text[last] {
        case UInt8(ascii: "n"): unit = 1
        case UInt8(ascii: "u"): unit = 1_000
        case UInt8(ascii: "m"): unit = 1_000_000
        case UInt8(ascii: "S"): unit = 1_000_000_000
        case UInt8(ascii: "M"): unit = 60_000_000_000
        case UInt8(ascii: "H"): unit = 3_600_000_000_000
        default: return nil
        }
        var count: Int64 = 0
        for index in 0..<last {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            count = count * 10 + Int64(digit)
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? .max : product
    }
}
