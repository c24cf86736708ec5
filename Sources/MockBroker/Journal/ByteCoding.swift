/// Why bytes are no record.
package enum RecordCodingError: Error, Hashable, Sendable {
    case truncated
    case malformed
    case unknownTag(UInt8)
}

/// Appends numbers and texts to bytes: whole numbers in groups of seven bits, least significant first (LEB128).
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    mutating func append(unsigned value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Small magnitudes of either sign take few bytes (zigzag).
    mutating func append(_ value: Int64) {
        append(unsigned: UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63))
    }

    /// Bytes without their length, at the end of a record.
    mutating func append(raw data: [UInt8]) { bytes.append(contentsOf: data) }

    mutating func append(_ data: [UInt8]) {
        append(unsigned: UInt64(data.count))
        bytes.append(contentsOf: data)
    }

    mutating func append(_ text: String) {
        append(unsigned: UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}

/// Reads back what `ByteWriter` wrote. Never traps on any bytes.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }
    var remaining: Int { bytes.endIndex - position }

    mutating func byte() throws(RecordCodingError) -> UInt8 {
        guard position < bytes.endIndex else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func unsigned() throws(RecordCodingError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw .malformed }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw .malformed
    }

    mutating func signed() throws(RecordCodingError) -> Int64 {
        let value = try unsigned()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func slice() throws(RecordCodingError) -> ArraySlice<UInt8> {
        guard let count = Int(exactly: try unsigned()), count <= bytes.endIndex - position else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// All that is left.
    mutating func rest() -> ArraySlice<UInt8> {
        defer { position = bytes.endIndex }
        return bytes[position...]
    }

    mutating func text() throws(RecordCodingError) -> String {
        guard let text = String(validating: try slice(), as: UTF8.self) else { throw .malformed }
        return text
    }
}
