/// Cuts a stream of text into messages, as they come. Pure.
///
/// In JSON a message is one value, with or without space between them. In text format a message ends with the byte 0x1e
/// (record separator) or with the text.
package struct MessageSplitter: Sendable {
    package enum Format: Sendable, Hashable {
        case json, text
    }

    /// One message with the line that it begins on, counted from 1.
    package struct Piece: Sendable, Hashable {
        package let text: String
        package let line: Int
    }

    private let format: Format
    private let limitBytes: Int
    private var pending: [UInt8] = []
    private var line = 1
    private var startLine = 1
    private var level = 0
    private var isInString = false
    private var isEscaped = false

    /// - Parameter limitBytes: of one message; more is an error, so that text without an end cannot fill the memory.
    package init(_ format: Format, limitBytes: Int = 64 << 20) {
        self.format = format
        self.limitBytes = limitBytes
    }

    /// Takes the next bytes and returns the messages that they complete.
    package mutating func take(_ bytes: some Sequence<UInt8>) throws(ToolFailure) -> [Piece] {
        var pieces: [Piece] = []
        for byte in bytes {
            switch format {
            case .text:
                if byte == 0x1e { pieces += cut() } else { append(byte) }
            case .json: takeJSON(byte, &pieces)
            }
            if byte == 0x0a { line += 1 }
            guard pending.count <= limitBytes else {
                throw .invalid("The message in line \(startLine) has more than \(limitBytes) bytes.")
            }
        }
        return pieces
    }

    /// What is left at the end; it may be half a message, which its reader finds out.
    package mutating func finish() -> [Piece] { cut() }

    private mutating func takeJSON(_ byte: UInt8, _ pieces: inout [Piece]) {
        if isInString {
            append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
                if level == 0 { pieces += cut() }
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""):
            if level == 0 { pieces += cut() }
            isInString = true
            append(byte)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if level == 0 { pieces += cut() }
            level += 1
            append(byte)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            level -= 1
            append(byte)
            if level <= 0 {
                level = 0
                pieces += cut()
            }
        case 0x20, 0x0a, 0x0d, 0x09:
            if level == 0 { pieces += cut() } else { append(byte) }
        default: append(byte)
        }
    }

    private mutating func append(_ byte: UInt8) {
        if pending.isEmpty {
            // Space before a message belongs to none.
            guard byte != 0x20, byte != 0x09, byte != 0x0a, byte != 0x0d else { return }
            startLine = line
        }
        pending.append(byte)
    }

    private mutating func cut() -> [Piece] {
        guard !pending.isEmpty else { return [] }
        defer { pending.removeAll(keepingCapacity: true) }
        return [Piece(text: String(decoding: pending, as: UTF8.self), line: startLine)]
    }
}
