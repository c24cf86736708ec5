/// Takes text format apart: words, numbers, strings and punctuation, with white space and comments read over.
struct TextFormatScanner {
    private let bytes: [UInt8]
    private var position = 0
    /// Where the token that was taken last begins.
    private var tokenStart = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
        skipSpace()
    }

    var isAtEnd: Bool { position == bytes.count }
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        skipSpace()
        return true
    }

    /// A name; nil when there is none.
    mutating func word() -> String? {
        guard let first = next, Self.isLetter(first) else { return nil }
        return token { Self.isLetter($0) || Self.isDigit($0) }
    }

    /// A number as it is written, without its sign; nil when there is none.
    mutating func number() -> String? {
        guard let first = next, Self.isDigit(first) || first == UInt8(ascii: ".") else { return nil }
        var previous: UInt8 = 0
        let isHexadecimal = bytes[position...].starts(with: "0x".utf8) || bytes[position...].starts(with: "0X".utf8)
        return token { byte in
            defer { previous = byte }
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let followsExponent = previous == UInt8(ascii: "e") || previous == UInt8(ascii: "E")
            return Self.isLetter(byte) || Self.isDigit(byte) || byte == UInt8(ascii: ".")
                || isSign && followsExponent && !isHexadecimal
        }
    }

    /// What stands in square brackets, the opening one being behind us.
    mutating func bracketed() throws(TextFormatError) -> String {
        let name = token { $0 != UInt8(ascii: "]") && $0 > 0x20 }
        guard !name.isEmpty, take("]") else { throw error("expected a name and ']'") }
        return name
    }

    /// One string, or several that follow each other.
    mutating func string() throws(TextFormatError) -> [UInt8]? {
        var value: [UInt8]?
        while let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            value = (value ?? []) + (try literal(quote))
        }
        return value
    }

    /// An error about what comes next.
    func error(_ reason: String) -> TextFormatError { error(reason, at: position) }
    /// An error about what was taken last.
    func errorAtToken(_ reason: String) -> TextFormatError { error(reason, at: tokenStart) }

    private func error(_ reason: String, at position: Int) -> TextFormatError {
        let before = bytes[..<position]
        let line = before.count { $0 == 0x0a } + 1
        return TextFormatError(
            reason, position: .init(line: line, column: position - (before.lastIndex(of: 0x0a) ?? -1)))
    }

    private mutating func literal(_ quote: UInt8) throws(TextFormatError) -> [UInt8] {
        let start = position
        tokenStart = start
        var value: [UInt8] = []
        position += 1
        while let byte = next, byte != 0x0a {
            position += 1
            if byte == quote {
                skipSpace()
                return value
            }
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            guard let escape = TextLiteral.escape(bytes[position...]) else {
                throw error("this escape does not exist", at: position - 1)
            }
            value += escape.value
            position += escape.count
        }
        throw error("the string does not end", at: start)
    }

    private mutating func token(_ belongs: (UInt8) -> Bool) -> String {
        let start = position
        tokenStart = start
        while let byte = next, belongs(byte) { position += 1 }
        defer { skipSpace() }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func skipSpace() {
        while let byte = next {
            if byte == UInt8(ascii: "#") {
                while let byte = next, byte != 0x0a { position += 1 }
            } else if byte == 0x20 || (0x09...0x0d).contains(byte) {
                position += 1
            } else {
                return
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_")
    }
}
