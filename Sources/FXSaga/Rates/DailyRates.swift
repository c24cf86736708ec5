public import Domain

/// The default provider: replays the real daily rates of won per dollar as of one date.
///
/// Parsed once into 7,126 pairs of integers (86 kB); a look-up is a binary search.
public struct DailyRates: RateProvider {
    /// Strictly ascending.
    private let days: [CivilDate]
    /// Hundredths of a won for one dollar, by the same index.
    private let mantissas: [Int64]
    private let date: CivilDate?

    private static let scale = 2

    /// - Parameter date: the last rate on or before it is replayed; nil means the last rate there is.
    public init(asOf date: CivilDate? = nil) {
        do {
            try self.init(parsing: ReferenceRates.usdKRW, asOf: date)
        } catch {
            preconditionFailure("the rates that ship with the program cannot be read: \(error)")
        }
    }

    /// Reads lines of `YYYY-MM-DD,rate` in the order of their dates, below one line of headings.
    init(parsing text: String, asOf date: CivilDate?) throws(DailyRatesError) {
        var days: [CivilDate] = []
        var mantissas: [Int64] = []
        for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n")).enumerated().dropFirst() {
            let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            guard fields.count == 2, let day = CivilDate(String(decoding: fields[0], as: UTF8.self)),
                let mantissa = Self.mantissa(fields[1]), mantissa > 0
            else { throw .malformedLine(index + 1) }
            guard days.last.map({ $0 < day }) ?? true else { throw .notAscending(index + 1) }
            days.append(day)
            mantissas.append(mantissa)
        }
        guard !days.isEmpty else { throw .empty }
        self.days = days
        self.mantissas = mantissas
        self.date = date
    }

    public var count: Int { days.count }
    public var firstDate: CivilDate { days[0] }
    public var lastDate: CivilDate { days[days.count - 1] }

    public func rate(between one: Currency, and other: Currency) async throws(RateUnavailable) -> PublishedRate {
        guard Set([one, other]) == [.usd, .krw] else { throw .unknownPair(one, other) }
        return try rate(on: date ?? lastDate)
    }

    /// The last rate published on or before `date`: weekends and holidays take the rate of the day before them.
    func rate(on date: CivilDate) throws(RateUnavailable) -> PublishedRate {
        var (low, high) = (0, days.count)  // the first day after `date` lies in low...high
        while low < high {
            let middle = (low + high) / 2
            if days[middle] <= date { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { throw .beforeFirst(date) }
        let day = days[low - 1]
        do {
            let rate = try FXRate(base: .usd, quote: .krw, mantissa: mantissas[low - 1], scale: Self.scale)
            return PublishedRate(rate: rate, id: try RateID("ECB-USD-KRW-\(day)"), date: day)
        } catch {
            preconditionFailure("a parsed rate is positive and its id is short: \(error)")
        }
    }

    /// `digits.dd` as hundredths; nil when it is not of that form or longer than 12 characters.
    private static func mantissa(_ field: Substring.UTF8View) -> Int64? {
        let point = UInt8(ascii: ".")
        guard (4...12).contains(field.count), field.dropLast(scale).last == point else { return nil }
        var value: Int64 = 0
        for (position, byte) in field.enumerated() where position != field.count - scale - 1 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }
}

/// Why a text is no list of daily rates.
enum DailyRatesError: Error, Hashable {
    case empty
    /// Lines count from 1.
    case malformedLine(Int)
    case notAscending(Int)
}
