import ArgumentParser

/// Sizes as people write them: 4096, 64K, 4M.
enum ByteCountText {
    /// At least one byte, at most 2 GiB less one, which is what the wire format's users agree on.
    static func parse(_ text: String) throws -> Int {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit: Int? =
            switch text.dropFirst(digits.count) {
            case "": 1
            case "K": 1 << 10
            case "M": 1 << 20
            case "G": 1 << 30
            default: nil
            }
        guard let unit, let number = Int(digits),
            case (let bytes, let overflow) = number.multipliedReportingOverflow(by: unit),
            !overflow, (1...Int(Int32.max)).contains(bytes)
        else { throw ValidationError("\"\(text)\" is no size; write 4096, 64K or 4M, below 2G.") }
        return bytes
    }
}
