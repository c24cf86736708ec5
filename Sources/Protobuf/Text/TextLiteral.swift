/// Strings of text format: quotes and the escapes of C. Source: "Text Format Language Specification", String Literals.
enum TextLiteral {
    /// The bytes in double quotes.
    /// - Parameter keepsUTF8: whether bytes above 0x7f stay as they are; else they become octal escapes.
    static func quoted(_ bytes: [UInt8], keepsUTF8: Bool) -> String {
        var output: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): output += "\\n".utf8
            case UInt8(ascii: "\r"): output += "\\r".utf8
            case UInt8(ascii: "\t"): output += "\\t".utf8
            case UInt8(ascii: "\""): output += "\\\"".utf8
            case UInt8(ascii: "\\"): output += "\\\\".utf8
            case 0x20..<0x7f: output.append(byte)
            case 0x80... where keepsUTF8: output.append(byte)
            default: output += [UInt8(ascii: "\\")] + [byte >> 6, byte >> 3 & 7, byte & 7].map { $0 + 0x30 }
            }
        }
        output.append(UInt8(ascii: "\""))
        return String(decoding: output, as: UTF8.self)
    }

    /// What an escape stands for, the backslash being behind us; nil when it is none.
    static func escape(_ bytes: ArraySlice<UInt8>) -> (value: [UInt8], count: Int)? {
        guard let first = bytes.first else { return nil }
        switch first {
        case UInt8(ascii: "n"): return ([0x0a], 1)
        case UInt8(ascii: "r"): return ([0x0d], 1)
        case UInt8(ascii: "t"): return ([0x09], 1)
        case UInt8(ascii: "a"): return ([0x07], 1)
        case UInt8(ascii: "b"): return ([0x08], 1)
        case UInt8(ascii: "f"): return ([0x0c], 1)
        case UInt8(ascii: "v"): return ([0x0b], 1)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"): return ([first], 1)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            let digits = bytes.prefix(3).prefix { (0x30...0x37).contains($0) }
            guard let value = UInt8(exactly: number(digits, 8)) else { return nil }
            return ([value], digits.count)
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            let digits = bytes.dropFirst().prefix(2).prefix(while: isHexDigit)
            return digits.isEmpty ? nil : ([UInt8(number(digits, 16))], 1 + digits.count)
        case UInt8(ascii: "u"): return scalar(bytes.dropFirst(), digits: 4)
        case UInt8(ascii: "U"): return scalar(bytes.dropFirst(), digits: 8)
        default: return nil
        }
    }

    private static func scalar(_ bytes: ArraySlice<UInt8>, digits count: Int) -> (value: [UInt8], count: Int)? {
        let digits = bytes.prefix(count)
        guard digits.count == count, digits.allSatisfy(isHexDigit) else { return nil }
        var code = UInt32(number(digits, 16))
        var length = 1 + count
        // A pair of surrogates, each in an escape of its own, is one character.
        if (0xd800..<0xdc00).contains(code), count == 4 {
            let second = bytes.dropFirst(4)
            let low = second.dropFirst(2).prefix(4)
            guard second.prefix(2).elementsEqual("\\u".utf8), low.count == 4, low.allSatisfy(isHexDigit) else {
                return nil
            }
            let lower = UInt32(number(low, 16))
            guard (0xdc00..<0xe000).contains(lower) else { return nil }
            code = 0x10000 + (code - 0xd800) << 10 + (lower - 0xdc00)
            length += 6
        }
        return Unicode.Scalar(code).flatMap { UTF8.encode($0) }.map { (Array($0), length) }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit }

    private static func number(_ digits: ArraySlice<UInt8>, _ radix: Int) -> Int {
        digits.reduce(0) { $0 * radix + (Character(Unicode.Scalar($1)).hexDigitValue ?? 0) }
    }
}
