/// Reading, writing and rescaling decimal numbers that are held as scaled integers. Nothing is ever rounded here.
enum DecimalText {
    static let maximumLength = 40

    static func parse(_ text: String, scale: Int) throws(DecimalError) -> Int64 {
        let bytes = text.utf8
        guard bytes.count <= maximumLength else { throw .malformed }
        let isNegative = bytes.first == UInt8(ascii: "-")
        let parts = bytes.dropFirst(isNegative ? 1 : 0)
            .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty else { throw .malformed }
        let fraction = parts.count == 2 ? parts[1] : parts[0].prefix(0)
        guard parts.count == 1 || !fraction.isEmpty else { throw .malformed }

        var magnitude: Int128 = 0  // at most 40 digits would overflow 128 bits, so the range is checked on the way
        for byte in whole { try append(byte, to: &magnitude) }
        for (place, byte) in fraction.enumerated() {
            if place < scale {
                try append(byte, to: &magnitude)
            } else {
                guard isDigit(byte) else { throw .malformed }
                guard byte == UInt8(ascii: "0") else { throw .tooManyDecimals(limit: scale) }
            }
        }
        let missingPlaces = scale - min(scale, fraction.count)
        let (scaled, overflow) = magnitude.multipliedReportingOverflow(by: powerOfTen128(missingPlaces))
        guard !overflow, let value = Int64(exactly: isNegative ? -scaled : scaled) else { throw .outOfRange }
        return value
    }

    /// `unscaled / 10^scale` without trailing zeros, but with at least `minimumDecimals` places.
    static func print(_ unscaled: Int64, scale: Int, minimumDecimals: Int) -> String {
        var digits = Array(String(unscaled.magnitude).utf8)
        if digits.count <= scale {
            digits.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: scale + 1 - digits.count), at: 0)
        }
        let whole = digits.prefix(digits.count - scale)
        var fraction = digits.suffix(scale)
        while fraction.count > minimumDecimals, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
        let point = fraction.isEmpty ? "" : "."
        return (unscaled < 0 ? "-" : "") + String(decoding: whole, as: UTF8.self) + point
            + String(decoding: fraction, as: UTF8.self)
    }

    /// The same number at another scale, or an error where digits would be lost.
    static func rescale(_ unscaled: Int64, from source: Int, to target: Int) throws(DecimalError) -> Int64 {
        guard (0...18).contains(source) else { throw .outOfRange }
        if source <= target {
            let exact = Int128(unscaled) * powerOfTen128(target - source)
            guard let value = Int64(exactly: exact) else { throw .outOfRange }
            return value
        }
        let (value, lost) = Int128(unscaled).quotientAndRemainder(dividingBy: powerOfTen128(source - target))
        guard lost == 0 else { throw .tooManyDecimals(limit: target) }
        return Int64(value)
    }

    /// Ten to the `exponent`, 0 to 38.
    static func powerOfTen128(_ exponent: Int) -> Int128 {
        precondition((0...38).contains(exponent), "ten to this power does not fit 128 bits")
        var power: Int128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    private static func append(_ byte: UInt8, to magnitude: inout Int128) throws(DecimalError) {
        guard isDigit(byte) else { throw .malformed }
        magnitude = magnitude * 10 + Int128(byte - UInt8(ascii: "0"))
        guard magnitude <= Int128(Int64.max) + 1 else { throw .outOfRange }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
