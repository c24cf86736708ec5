internal import CLibpq

/// The parameters of one statement in the form that libpq sends: everything binary, but text where its type is open.
struct ParameterBuffer {
    private static let binary: Int32 = 1
    private static let text: Int32 = 0

    private var bytes: [UInt8] = []
    /// Where each value starts in `bytes`, or -1 for NULL.
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []
    private(set) var types: [Oid] = []

    /// - Parameter byteLimit: of all values together.
    init(_ parameters: [Parameter], byteLimit: Int) throws(PostgresError) {
        guard parameters.count <= Int(UInt16.max) else {
            throw PostgresError(.invalidParameter, "a statement takes at most 65535 parameters")
        }
        for (index, parameter) in parameters.enumerated() {
            types.append(parameter.type)
            let start = bytes.count
            try append(parameter.value, index: index)
            lengths.append(Int32(truncatingIfNeeded: bytes.count - start))
            guard bytes.count <= byteLimit else {
                throw PostgresError(.invalidParameter, "the parameters are longer than \(byteLimit) bytes")
            }
        }
    }

    /// Calls `body` with the count and the arrays `paramTypes`, `paramValues`, `paramLengths`, `paramFormats` of libpq.
    func withPointers<Result>(
        _ body: (
            Int32, UnsafePointer<Oid>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
            UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(1, offsets.count)) {
            values in
            unsafe bytes.withUnsafeBytes { raw in
                for (index, offset) in offsets.enumerated() {
                    let value =
                        offset < 0
                        ? nil
                        : unsafe (raw.baseAddress ?? UnsafeRawPointer(values.baseAddress!)).advanced(by: offset)
                            .assumingMemoryBound(to: CChar.self)
                    unsafe values.initializeElement(at: index, to: value)
                }
                return unsafe types.withUnsafeBufferPointer { types in
                    unsafe lengths.withUnsafeBufferPointer { lengths in
                        unsafe formats.withUnsafeBufferPointer { formats in
                            unsafe body(
                                Int32(offsets.count), types.baseAddress, UnsafePointer(values.baseAddress),
                                lengths.baseAddress, formats.baseAddress)
                        }
                    }
                }
            }
        }
    }

    private mutating func append(_ value: Parameter.Value, index: Int) throws(PostgresError) {
        formats.append(Self.binary)
        offsets.append(bytes.count)
        switch value {
        case .null: offsets[offsets.count - 1] = -1
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int32(let value): bytes.append(bigEndian: value)
        case .int64(let value): bytes.append(bigEndian: value)
        case .double(let bits): bytes.append(bigEndian: bits)
        case .bytes(let value): bytes.append(contentsOf: value)
        case .uuid(let value): bytes.append(bigEndian: value)
        case .text(let value):
            formats[formats.count - 1] = Self.text
            try append(text: value, index: index)
            bytes.append(0)
        case .boolArray(let values):
            appendArray(values, of: TypeID.bool) { bytes, value in bytes.append(value ? 1 : 0) }
        case .int64Array(let values):
            let element = types[index] == TypeID.timestampTZArray ? TypeID.timestampTZ : TypeID.int8
            appendArray(values, of: element) { bytes, value in bytes.append(bigEndian: value) }
        case .bytesArray(let values):
            appendArray(values, of: TypeID.bytes) { bytes, value in bytes.append(contentsOf: value) }
        case .uuidArray(let values):
            appendArray(values, of: TypeID.uuid) { bytes, value in bytes.append(bigEndian: value) }
        case .textArray(let values):
            for case let value? in values where value.utf8.contains(0) { throw Self.containsNUL(index) }
            appendArray(values, of: TypeID.text) { bytes, value in bytes.append(contentsOf: value.utf8) }
        }
    }

    private mutating func append(text: String, index: Int) throws(PostgresError) {
        guard !text.utf8.contains(0) else { throw Self.containsNUL(index) }
        bytes.append(contentsOf: text.utf8)
    }

    private static func containsNUL(_ index: Int) -> PostgresError {
        PostgresError(.invalidParameter, "parameter $\(index + 1) has a NUL character, which PostgreSQL cannot store")
    }

    /// The binary form of a one-dimensional array, `array_recv` in PostgreSQL's arrayfuncs.c.
    private mutating func appendArray<Element>(
        _ values: [Element?], of type: Oid, _ appendElement: (inout [UInt8], Element) -> Void
    ) {
        bytes.append(bigEndian: Int32(values.isEmpty ? 0 : 1))  // dimensions
        bytes.append(bigEndian: Int32(values.contains { $0 == nil } ? 1 : 0))  // has NULLs
        bytes.append(bigEndian: Int32(bitPattern: type))
        guard !values.isEmpty else { return }
        bytes.append(bigEndian: Int32(truncatingIfNeeded: values.count))
        bytes.append(bigEndian: Int32(1))  // lower bound
        for value in values {
            guard let value else {
                bytes.append(bigEndian: Int32(-1))
                continue
            }
            let start = bytes.count
            bytes.append(bigEndian: Int32(0))
            appendElement(&bytes, value)
            let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
            for byte in 0..<4 { bytes[start + byte] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * byte)) }
        }
    }
}

extension [UInt8] {
    /// Appends the bytes of `value`, most significant first.
    mutating func append(bigEndian value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }
}
