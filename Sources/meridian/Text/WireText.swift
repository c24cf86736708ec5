import ArgumentParser
import Contracts
import Domain
import Protobuf

/// Values of the contracts on one line.
enum WireText {
    /// 1.5 for 1500 at a scale of 3; nothing for what is absent.
    static func decimal(_ value: WireDecimal?) -> String {
        guard let value else { return "" }
        guard value.scale > 0, value.scale <= 18 else { return "\(value.unscaled)" }
        let places = Int(value.scale)
        var digits = String(value.unscaled.magnitude)
        digits = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        var fraction = digits.suffix(places)
        while fraction.last == "0" { fraction.removeLast() }
        return (value.unscaled < 0 ? "-" : "") + digits.dropLast(places) + (fraction.isEmpty ? "" : ".\(fraction)")
    }

    /// RFC 3339 in UTC; nothing for what is absent or out of range.
    static func time(_ value: Google_Protobuf_Timestamp?) -> String {
        guard let text = try? value?.jsonString() else { return "" }
        return String(text.dropFirst().dropLast())
    }

    /// Reads RFC 3339.
    static func time(_ text: String) throws -> Google_Protobuf_Timestamp {
        guard let time = try? Google_Protobuf_Timestamp(json: "\"\(text)\"") else {
            throw ValidationError("\"\(text)\" is no time; write 2026-11-27T18:00:00Z.")
        }
        return time
    }

    /// Reads a quantity or a price: 1.5.
    static func decimal<Number: FixedPoint>(_ text: String, as type: Number.Type) throws -> WireDecimal {
        guard let number = try? Number(text) else {
            throw ValidationError("\"\(text)\" is no number; write 1 or 223.02.")
        }
        return WireDecimal(number)
    }
}
