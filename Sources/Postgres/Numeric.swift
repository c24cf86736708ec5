/// PostgreSQL's decimal number in its binary form: digits to the base 10,000, the first one worth 10,000^`weight`.
///
/// Source: `numeric_send` in PostgreSQL's numeric.c.
struct Numeric: CustomStringConvertible {
    static let positive: UInt16 = 0x0000
    static let negative: UInt16 = 0x4000
    static let notANumber: UInt16 = 0xC000
    static let positiveInfinity: UInt16 = 0xD000
    static let negativeInfinity: UInt16 = 0xF000

    let digits: [Int16]
    let weight: Int
    let sign: UInt16
    /// Decimal places of the text form.
    let scale: Int

    /// The value if it is whole and fits.
    func int64() throws(DecodingFailure.Reason) -> Int64 {
        guard sign == Self.positive || sign == Self.negative else { throw .outOfRange }
        var value: Int64 = 0
        for (index, digit) in digits.enumerated() {
            guard index <= weight else {
                guard digit == 0 else { throw .outOfRange }
                continue
            }
            value = try Self.shifted(value, adding: sign == Self.negative ? -Int64(digit) : Int64(digit))
        }
        guard value != 0 else { return 0 }
        for _ in digits.count..<max(digits.count, weight + 1) { value = try Self.shifted(value, adding: 0) }
        return value
    }

    var description: String {
        switch sign {
        case Self.notANumber: return "NaN"
        case Self.positiveInfinity: return "Infinity"
        case Self.negativeInfinity: return "-Infinity"
        default: break
        }
        var whole = ""
        for index in 0...max(0, weight) {
            let group = weight < 0 ? 0 : digit(index)
            whole += whole.isEmpty ? "\(group)" : Self.padded(group)
        }
        var text = (sign == Self.negative ? "-" : "") + whole
        if scale > 0 {
            var fraction = ""
            var index = weight + 1
            while fraction.count < scale {
                fraction += Self.padded(digit(index))
                index += 1
            }
            text += "." + fraction.prefix(scale)
        }
        return text
    }

    /// Digits outside the stored ones are zero.
    private func digit(_ index: Int) -> Int16 { digits.indices.contains(index) ? digits[index] : 0 }

    private static func padded(_ digit: Int16) -> String {
        let text = "\(digit)"
        return String(repeating: "0", count: 4 - text.count) + text
    }

    private static func shifted(_ value: Int64, adding digit: Int64) throws(DecodingFailure.Reason) -> Int64 {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10_000)
        guard !overflow else { throw .outOfRange }
        let (sum, carry) = product.addingReportingOverflow(digit)
        guard !carry else { throw .outOfRange }
        return sum
    }
}
