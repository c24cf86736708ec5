/// A parsed JSON text: what reading a service config needs. Source: RFC 8259.
enum JSONText: Equatable {
    case null
    case bool(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([JSONText])
    /// In order; no key occurs twice.
    case object([Member])

    struct Member: Equatable {
        let key: String
        let value: JSONText
    }

    struct Failure: Error, Equatable {
        let problem: String
        /// In bytes.
        let offset: Int
    }

    init(parsing text: String) throws(Failure) {
        var reader = Reader(bytes: Array(text.utf8))
        self = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.offset == reader.bytes.count else { throw reader.failure("something follows the value") }
    }

    private struct Reader {
        static let depthLimit = 32

        let bytes: [UInt8]
        var offset = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        func failure(_ problem: String) -> Failure { Failure(problem: problem, offset: offset) }

        private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

        mutating func skipSpace() {
            while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { offset += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard next == UInt8(ascii: character) else { return false }
            offset += 1
            return true
        }

        mutating func value(depth: Int) throws(Failure) -> JSONText {
            guard depth < Self.depthLimit else { throw failure("nested too deeply") }
            skipSpace()
            switch next {
            case UInt8(ascii: "{"): return .object(try members(depth: depth))
            case UInt8(ascii: "["): return .array(try elements(depth: depth))
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return .number(try number())
            }
        }

        private mutating func members(depth: Int) throws(Failure) -> [Member] {
            offset += 1
            var members: [Member] = []
            if take("}") { return members }
            repeat {
                skipSpace()
                guard next == UInt8(ascii: "\"") else { throw failure("a key is expected") }
                let key = try string()
                guard !members.contains(where: { $0.key == key }) else { throw failure("\"\(key)\" occurs twice") }
                guard take(":") else { throw failure("a colon is expected") }
                members.append(Member(key: key, value: try value(depth: depth + 1)))
            } while take(",")
            guard take("}") else { throw failure("a comma or } is expected") }
            return members
        }

        private mutating func elements(depth: Int) throws(Failure) -> [JSONText] {
            offset += 1
            var elements: [JSONText] = []
            if take("]") { return elements }
            repeat { elements.append(try value(depth: depth + 1)) } while take(",")
            guard take("]") else { throw failure("a comma or ] is expected") }
            return elements
        }

        private mutating func word(_ text: String, _ value: JSONText) throws(Failure) -> JSONText {
            guard bytes[offset...].starts(with: text.utf8) else { throw failure("a value is expected") }
            offset += text.utf8.count
            return value
        }

        private mutating func digits() -> Int {
            let start = offset
            while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
            return offset - start
        }

        private mutating func number() throws(Failure) -> String {
            let start = offset
            if next == UInt8(ascii: "-") { offset += 1 }
            let leadsWithZero = next == UInt8(ascii: "0")
            let count = digits()
            guard count > 0, !leadsWithZero || count == 1 else { throw failure("a value is expected") }
            if next == UInt8(ascii: ".") {
                offset += 1
                guard digits() > 0 else { throw failure("a digit is expected") }
            }
            if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
                offset += 1
                if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
                guard digits() > 0 else { throw failure("a digit is expected") }
            }
            return String(decoding: bytes[start..<offset], as: UTF8.self)
        }

        private mutating func string() throws(Failure) -> String {
            offset += 1
            var text: [UInt8] = []
            while let byte = next {
                offset += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let string = String(validating: text, as: UTF8.self) else { throw failure("invalid UTF-8") }
                    return string
                case UInt8(ascii: "\\"): text += try escape()
                case 0..<0x20: throw failure("a control character in a string")
                default: text.append(byte)
                }
            }
            throw failure("the string does not end")
        }

        private mutating func escape() throws(Failure) -> [UInt8] {
            guard let byte = next else { throw failure("the string does not end") }
            offset += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                var units = [try unit()]
                if UTF16.isLeadSurrogate(units[0]), bytes[offset...].starts(with: "\\u".utf8) {
                    offset += 2
                    units.append(try unit())
                }
                guard let text = String(validating: units, as: UTF16.self) else { throw failure("half a character") }
                return Array(text.utf8)
            default: throw failure("unknown escape")
            }
        }

        private mutating func unit() throws(Failure) -> UInt16 {
            let digits = bytes[offset...].prefix(4)
            guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
                let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw failure("four hexadecimal digits are expected") }
            offset += 4
            return unit
        }
    }
}
