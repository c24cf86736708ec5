/// Reads JSON text strictly: one value, no comments, no trailing commas, no lone surrogates, and no names given twice
/// unless that is asked for.
///
/// Source: RFC 8259.
struct JSONParser {
    /// Levels of arrays and objects; deeper text is refused, so that hostile text cannot exhaust the stack.
    static let nestingLimit = 100

    private let bytes: [UInt8]
    private let duplicates: JSONOptions.Duplicates
    private var position = 0

    static func parse(
        _ text: String, duplicates: JSONOptions.Duplicates = .refuse
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(text, duplicates)
        parser.skipSpace()
        let value = try parser.value(level: 0)
        parser.skipSpace()
        guard parser.position == parser.bytes.count else { throw parser.error("unexpected text behind the value") }
        return value
    }

    /// Reads the values that follow each other in `text`, with or without space between them.
    static func parseSequence(
        _ text: String, duplicates: JSONOptions.Duplicates = .refuse
    ) throws(JSONError) -> [JSONValue] {
        var parser = JSONParser(text, duplicates)
        var values: [JSONValue] = []
        parser.skipSpace()
        while parser.position < parser.bytes.count {
            values.append(try parser.value(level: 0))
            parser.skipSpace()
        }
        return values
    }

    private init(_ text: String, _ duplicates: JSONOptions.Duplicates) {
        bytes = Array(text.utf8)
        self.duplicates = duplicates
    }

    private mutating func value(level: Int) throws(JSONError) -> JSONValue {
        guard let byte = peek() else { throw error("the text ends where a value is expected") }
        switch byte {
        case UInt8(ascii: "{"): return try object(level: level)
        case UInt8(ascii: "["): return try array(level: level)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t") where take("true"): return .bool(true)
        case UInt8(ascii: "f") where take("false"): return .bool(false)
        case UInt8(ascii: "n") where take("null"): return .null
        default: throw error("expected a value")
        }
    }

    private mutating func object(level: Int) throws(JSONError) -> JSONValue {
        try open(level)
        var members: [JSONValue.Member] = []
        // By their bytes: what Unicode calls equal may differ in JSON.
        var indices: [[UInt8]: Int] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a name in quotes") }
            let start = position
            let name = try string()
            let earlier = indices.updateValue(members.count, forKey: Array(name.utf8))
            if earlier != nil, duplicates == .refuse {
                position = start
                throw error("the name \"\(name)\" is given twice")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':'") }
            skipSpace()
            let member = JSONValue.Member(name, try value(level: level + 1))
            if let earlier {
                members[earlier] = member
                indices[Array(name.utf8)] = earlier
            } else {
                members.append(member)
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("expected ',' or '}'") }
        return .object(members)
    }

    private mutating func array(level: Int) throws(JSONError) -> JSONValue {
        try open(level)
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            skipSpace()
            elements.append(try value(level: level + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("expected ',' or ']'") }
        return .array(elements)
    }

    private mutating func open(_ level: Int) throws(JSONError) {
        guard level < Self.nestingLimit else { throw error("nested deeper than \(Self.nestingLimit) levels") }
        position += 1
        skipSpace()
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) {
            guard isDigit(peek()) else { throw error("expected a digit") }
            while isDigit(peek()) { position += 1 }
        }
        if take(UInt8(ascii: ".")) {
            guard isDigit(peek()) else { throw error("expected a digit") }
            while isDigit(peek()) { position += 1 }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard isDigit(peek()) else { throw error("expected a digit") }
            while isDigit(peek()) { position += 1 }
        }
        if isDigit(peek()) { throw error("a number does not begin with 0") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                // The text came from a String and escapes give whole scalars, so this repairs nothing.
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0..<0x20: throw error("a control character in a string must be escaped")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("the string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw error("the string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try fourHexDigits()
            if (0xd800..<0xdc00).contains(scalar), take("\\u") {
                let low = try fourHexDigits()
                guard (0xdc00..<0xe000).contains(low) else { throw error("a surrogate stands alone") }
                scalar = 0x10000 + (scalar - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw error("a surrogate stands alone") }
            text += UTF8.encode(scalar)!
        default:
            position -= 1
            throw error("there is no escape '\\\(Character(Unicode.Scalar(byte)))'")
        }
    }

    private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private func error(_ reason: String) -> JSONError {
        let before = bytes[..<position]
        let line = before.count { $0 == 0x0a } + 1
        let column = position - (before.lastIndex(of: 0x0a) ?? -1)
        return JSONError(reason, position: .init(line: line, column: column))
    }
}
