/// One batch of records in the journal: what was made durable together.
///
/// 16 bytes of header (all numbers least significant byte first): length of the payload (4), CRC-32C over length,
/// sequence and payload (4), sequence of the batch counted from 1 (8). The payload is a list of records, each after
/// its length. A batch is whole or it is not there.
package enum JournalFrame {
    package static let headerBytes = 16
    /// A payload is never longer; the writer cuts batches well below.
    package static let maximumPayloadBytes = 64 << 20

    package struct Header: Hashable, Sendable {
        package let payloadBytes: Int
        package let checksum: UInt32
        package let sequence: UInt64
    }

    package static func frame(sequence: UInt64, payload: [UInt8]) -> [UInt8] {
        precondition(payload.count <= maximumPayloadBytes, "a batch is cut before it is framed")
        let length = UInt32(payload.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerBytes + payload.count)
        append(length, to: &bytes)
        append(checksum(length: length, sequence: sequence, payload), to: &bytes)
        append(sequence, to: &bytes)
        bytes.append(contentsOf: payload)
        return bytes
    }

    /// The header in the first 16 of `bytes`, or nil when it cannot be one.
    package static func header(_ bytes: ArraySlice<UInt8>) -> Header? {
        guard bytes.count >= headerBytes else { return nil }
        let start = bytes.startIndex
        let length = number(bytes[start..<start + 4])
        guard length > 0, length <= UInt64(maximumPayloadBytes) else { return nil }
        return Header(
            payloadBytes: Int(length), checksum: UInt32(number(bytes[start + 4..<start + 8])),
            sequence: number(bytes[start + 8..<start + 16]))
    }

    package static func isIntact(_ header: Header, _ payload: ArraySlice<UInt8>) -> Bool {
        payload.count == header.payloadBytes
            && checksum(length: UInt32(header.payloadBytes), sequence: header.sequence, payload) == header.checksum
    }

    /// Appends one record to a payload.
    package static func append(record: [UInt8], to payload: inout [UInt8]) {
        var length = ByteWriter()
        length.append(unsigned: UInt64(record.count))
        payload.append(contentsOf: length.bytes)
        payload.append(contentsOf: record)
    }

    /// The records of a payload, in order.
    package static func records(_ payload: ArraySlice<UInt8>) throws(RecordCodingError) -> [JournalRecord] {
        var reader = ByteReader(payload)
        var records: [JournalRecord] = []
        while !reader.isAtEnd { records.append(try JournalRecord(decoding: try reader.slice())) }
        return records
    }

    private static func checksum(length: UInt32, sequence: UInt64, _ payload: some Sequence<UInt8>) -> UInt32 {
        var head: [UInt8] = []
        append(length, to: &head)
        append(sequence, to: &head)
        var checksum = CRC32C()
        checksum.combine(head)
        checksum.combine(payload)
        return checksum.value
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
