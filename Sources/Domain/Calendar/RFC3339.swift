extension UnixTime {
    /// The instant written as `YYYY-MM-DDTHH:MM:SS[.fraction]Z` (RFC 3339 in UTC, at most nine places), or nil.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T") else { return nil }
        guard bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":") else { return nil }
        guard let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
        guard let hour = Self.number(bytes[11..<13]), let minute = Self.number(bytes[14..<16]),
            let second = Self.number(bytes[17..<19]), hour < 24, minute < 60, second < 60
        else { return nil }
        var nanos: Int64 = 0
        if bytes.count > 20 {
            let fraction = bytes[20..<(bytes.count - 1)]
            guard bytes[19] == UInt8(ascii: "."), (1...9).contains(fraction.count), let value = Self.number(fraction)
            else { return nil }
            nanos = value
            for _ in fraction.count..<9 { nanos *= 10 }
        }
        let seconds = Int64(date.epochDay) * 86_400 + hour * 3600 + minute * 60 + second
        self.init(seconds: seconds, nanos: Int32(nanos))
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}

extension UnixTime: CustomStringConvertible {
    /// RFC 3339 in UTC with as many places as are needed: none, 3, 6 or 9.
    public var description: String {
        let date = CivilDate(epochDay: Int32(Self.floorDivide(seconds, 86_400)))
        let secondOfDay = Int(seconds - Int64(date.epochDay) * 86_400)
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let clock = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60].map { padded($0, 2) }
        let fraction =
            switch Int(nanos) {
            case 0: ""
            case let nanos where nanos % 1_000_000 == 0: "." + padded(nanos / 1_000_000, 3)
            case let nanos where nanos % 1_000 == 0: "." + padded(nanos / 1_000, 6)
            case let nanos: "." + padded(nanos, 9)
            }
        return "\(date)T\(clock.joined(separator: ":"))\(fraction)Z"
    }
}
