/// Time-ordered unique identifiers (RFC 9562, section 5.7).
public enum UUIDv7 {
    /// The canonical 36-character text.
    ///
    /// - Parameters:
    ///   - milliseconds: Unix time; the low 48 bits are used.
    ///   - random: 12 bits of the first and 62 bits of the second number are used.
    public static func text(milliseconds: Int64, random: (UInt64, UInt64)) -> String {
        let time = UInt64(bitPattern: milliseconds) & 0xFFFF_FFFF_FFFF
        let high = time << 16 | 0x7000 | (random.0 & 0x0FFF)
        let low = 0x8000_0000_0000_0000 | (random.1 & 0x3FFF_FFFF_FFFF_FFFF)
        let digits = Hexadecimal.text(high) + Hexadecimal.text(low)
        var text = ""
        text.reserveCapacity(36)
        for (index, digit) in digits.utf8.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append("-") }
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return text
    }
}
