/// Fields that a message carried but its schema does not know, kept so that passing the message on loses nothing.
///
/// Source: protobuf language guide, "Unknown Fields".
public struct UnknownFields: Hashable, Sendable {
    /// The fields as they were on the wire, tags included, in the order they came.
    public private(set) var bytes: [UInt8]

    public init() { bytes = [] }

    public var isEmpty: Bool { bytes.isEmpty }

    /// Adds one field: its tag and its data (with the length prefix, if the wire type has one).
    mutating func append(number: UInt32, wireType: UInt32, data: UnsafeRawBufferPointer) {
        var tag = UInt64(number) << 3 | UInt64(wireType)
        while tag >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: tag) | 0x80)
            tag >>= 7
        }
        bytes.append(UInt8(tag))
        unsafe bytes.append(contentsOf: data)
    }
}
