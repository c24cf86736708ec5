/// Numbers in JSON: plain, or as strings. 64-bit integers are exact.
enum JSONNumber {
    /// An integer in the range of `T`. `1e2` and `5.0` are integers, too.
    static func integer<T: FixedWidthInteger>(_ json: JSONValue) throws(JSONError) -> T {
        let text = try digits(json, "an integer")
        guard let integral = integralDigits(text) else { throw JSONError("\(text) is not an integer") }
        guard let value = T(integral) else {
            throw JSONError("\(text) is out of range: from \(T.min) to \(T.max)")
        }
        return value
    }

    static func double(_ json: JSONValue) throws(JSONError) -> Double {
        if let special = special(json) { return special }
        let text = try digits(json, "a number")
        guard let value = Double(text), value.isFinite else { throw JSONError("\(text) is out of range for double") }
        return value
    }

    static func float(_ json: JSONValue) throws(JSONError) -> Float {
        if let special = special(json) { return Float(special) }
        let text = try digits(json, "a number")
        guard let value = Float(text), value.isFinite else { throw JSONError("\(text) is out of range for float") }
        return value
    }

    /// A floating-point number in JSON: the shortest digits that give it back.
    static func json<T: BinaryFloatingPoint & LosslessStringConvertible>(_ value: T) -> JSONValue {
        if value.isNaN { return .string("NaN") }
        if value.isInfinite { return .string(value < 0 ? "-Infinity" : "Infinity") }
        // "-0" is a number, too, but readers that take it for an integer lose the sign.
        if value == 0, value.sign == .minus { return .number("-0.0") }
        let text = "\(value)"
        return .number(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    private static func special(_ json: JSONValue) -> Double? {
        switch json {
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    private static func digits(_ json: JSONValue, _ expected: String) throws(JSONError) -> String {
        switch json {
        case .number(let text): return text
        case .string(let text):
            guard let parsed = try? JSONParser.parse(text), parsed == .number(text) else {
                throw JSONError("expected \(expected), found \(json.text())")
            }
            return text
        default: throw JSONError("expected \(expected), found \(json.kindName)")
        }
    }

    /// The digits of a number in JSON's grammar if it is an integer, without point and exponent.
    private static func integralDigits(_ text: String) -> String? {
        let isNegative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split { $0 == "e" || $0 == "E" }
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
        var digits = mantissa[0] + fraction
        guard let exponent = parts.count > 1 ? Int(parts[1]) : 0 else { return nil }
        let shift = exponent - fraction.count
        digits = digits.drop { $0 == "0" }
        if digits.isEmpty { return "0" }
        if shift >= 0 {
            // Longer than any integer: out of range whatever the digits are.
            digits += String(repeating: "0", count: min(shift, 40))
        } else {
            guard -shift < digits.count, digits.suffix(-shift).allSatisfy({ $0 == "0" }) else { return nil }
            digits = digits.dropLast(-shift)
        }
        return (isNegative ? "-" : "") + digits
    }
}

/// The base64 of `bytes` fields: written in the standard alphabet with padding; read in both alphabets, with or without.
///
/// Source: RFC 4648 sections 4 and 5.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var bits: UInt32 = 0
            for offset in 0..<3 { bits = bits << 8 | (offset < count ? UInt32(bytes[start + offset]) : 0) }
            for digit in 0..<4 {
                output.append(
                    digit <= count ? alphabet[Int(bits >> UInt32(18 - 6 * digit)) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    static func decode(_ text: String) -> [UInt8]? {
        var digits = Array(text.utf8)
        if digits.last == UInt8(ascii: "=") {
            guard digits.count % 4 == 0 else { return nil }
            digits.removeLast()
            if digits.last == UInt8(ascii: "=") { digits.removeLast() }
        }
        guard digits.count % 4 != 1 else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(digits.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return output
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
