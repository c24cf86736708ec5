internal import CLibpq

extension DecodingFailure.Reason: Error {}

/// The bytes of one non-NULL value in PostgreSQL's binary form, and its type.
///
/// Borrows from the result: never kept beyond the call that made it.
@safe struct Cell {
    let type: Oid
    private let bytes: UnsafeRawBufferPointer

    init(type: Oid, bytes: UnsafeRawBufferPointer) {
        self.type = type
        unsafe self.bytes = bytes
    }

    func int64() throws(DecodingFailure.Reason) -> Int64 {
        switch type {
        case TypeID.int8: return try integer(0)
        case TypeID.int4: return Int64(try integer(0) as Int32)
        case TypeID.int2: return Int64(try integer(0) as Int16)
        case TypeID.objectID: return Int64(try integer(0) as UInt32)
        case TypeID.numeric: return try numeric().int64()
        default: throw .unsupportedType(type)
        }
    }

    func int32() throws(DecodingFailure.Reason) -> Int32 {
        guard let value = Int32(exactly: try int64()) else { throw .outOfRange }
        return value
    }

    func bool() throws(DecodingFailure.Reason) -> Bool {
        guard type == TypeID.bool else { throw .unsupportedType(type) }
        return try integer(0) as UInt8 != 0
    }

    func double() throws(DecodingFailure.Reason) -> Double {
        switch type {
        case TypeID.float8: Double(bitPattern: try integer(0))
        case TypeID.float4: Double(Float(bitPattern: try integer(0)))
        default: throw .unsupportedType(type)
        }
    }

    func string() throws(DecodingFailure.Reason) -> String {
        switch type {
        case TypeID.text, TypeID.varchar, TypeID.bpchar, TypeID.name, TypeID.char, TypeID.json, TypeID.xml,
            TypeID.unknown, TypeID.firstUserDefined...:
            return unsafe String(decoding: bytes, as: UTF8.self)
        case TypeID.jsonb:
            guard try integer(0) as UInt8 == 1 else { throw .malformed }  // version of the binary form
            return unsafe String(decoding: bytes.dropFirst(), as: UTF8.self)
        case TypeID.numeric:
            return try numeric().description
        case TypeID.uuid:
            let digits = String(try uuid(), radix: 16)
            var text = String(repeating: "0", count: 32 - digits.count) + digits
            for position in [20, 16, 12, 8] { text.insert("-", at: text.index(text.startIndex, offsetBy: position)) }
            return text
        default:
            throw .unsupportedType(type)
        }
    }

    func byteArray() throws(DecodingFailure.Reason) -> [UInt8] {
        guard type == TypeID.bytes else { throw .unsupportedType(type) }
        return unsafe Array(bytes)
    }

    func uuid() throws(DecodingFailure.Reason) -> UInt128 {
        guard type == TypeID.uuid else { throw .unsupportedType(type) }
        return try integer(0)
    }

    func timestamp() throws(DecodingFailure.Reason) -> Int64 {
        guard type == TypeID.timestampTZ || type == TypeID.timestamp else { throw .unsupportedType(type) }
        let value: Int64 = try integer(0)
        guard value != .min, value != .max else { throw .outOfRange }
        let (microseconds, overflow) = value.addingReportingOverflow(PostgresEpoch.microseconds)
        guard !overflow else { throw .outOfRange }
        return microseconds
    }

    func date() throws(DecodingFailure.Reason) -> Int32 {
        guard type == TypeID.date else { throw .unsupportedType(type) }
        let value: Int32 = try integer(0)
        guard value != .min, value != .max else { throw .outOfRange }
        let (days, overflow) = value.addingReportingOverflow(PostgresEpoch.days)
        guard !overflow else { throw .outOfRange }
        return days
    }

    /// The elements of a one-dimensional array without NULLs.
    func elements<Element>(
        _ convert: (Cell) throws(DecodingFailure.Reason) -> Element
    ) throws(DecodingFailure.Reason) -> [Element] {
        switch type {
        case TypeID.int8Array, TypeID.int4Array, TypeID.textArray, TypeID.bytesArray, TypeID.boolArray,
            TypeID.uuidArray, TypeID.timestampTZArray:
            break
        default: throw .unsupportedType(type)
        }
        let dimensions: Int32 = try integer(0)
        guard dimensions != 0 else { return [] }
        guard dimensions == 1 else { throw .malformed }
        let elementType: UInt32 = try integer(8)
        let count: Int32 = try integer(12)
        var elements: [Element] = []
        elements.reserveCapacity(min(max(0, Int(count)), unsafe bytes.count / 4))
        var offset = 20
        for _ in 0..<max(0, count) {
            let length: Int32 = try integer(offset)
            offset += 4
            guard length >= 0 else { throw .null }
            guard unsafe offset + Int(length) <= bytes.count else { throw .malformed }
            let slice = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
            elements.append(try convert(unsafe Cell(type: elementType, bytes: slice)))
            offset += Int(length)
        }
        return elements
    }

    private func numeric() throws(DecodingFailure.Reason) -> Numeric {
        let count: Int16 = try integer(0)
        var digits: [Int16] = []
        for index in 0..<max(0, Int(count)) { digits.append(try integer(8 + 2 * index)) }
        return Numeric(
            digits: digits, weight: Int(try integer(2) as Int16), sign: try integer(4),
            scale: Int(try integer(6) as Int16))
    }

    /// The integer that starts at `offset`, most significant byte first.
    private func integer<Integer: FixedWidthInteger>(_ offset: Int) throws(DecodingFailure.Reason) -> Integer {
        guard unsafe offset + MemoryLayout<Integer>.size <= bytes.count else { throw .malformed }
        return Integer(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
