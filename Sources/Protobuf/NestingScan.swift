/// Finds out how deep messages are nested before protobuf-c, which has no limit of its own, recurses into them.
///
/// Reads tags and lengths only, keeps its own stack of `limit` levels, and skips what cannot nest too deep. It agrees
/// with protobuf-c on where each field begins and ends, so that nothing can hide from it.
enum NestingScan {
    private struct Level {
        var end: Int
        var descriptor: MessageDescriptor
    }

    static func check(
        _ bytes: UnsafeRawBufferPointer, as schema: MessageSchema, limit: Int
    ) throws(ProtobufError) {
        let root = schema.descriptor
        guard root.height > limit else { return }
        var levels = [Level(end: bytes.count, descriptor: root)]
        levels.reserveCapacity(limit + 1)
        var position = 0
        while let level = levels.last {
            guard position < level.end else {
                levels.removeLast()
                continue
            }
            guard let tag = unsafe varint(in: bytes, at: &position, end: level.end, maximum: 5) else {
                throw .malformed(message: schema.fullName)
            }
            var length: Int
            switch tag & 7 {
            case 0:
                guard unsafe varint(in: bytes, at: &position, end: level.end, maximum: 10) != nil else {
                    throw .malformed(message: schema.fullName)
                }
                continue
            case 1: length = 8
            case 2:
                guard let prefix = unsafe varint(in: bytes, at: &position, end: level.end, maximum: 5) else {
                    throw .malformed(message: schema.fullName)
                }
                length = Int(prefix)
            case 5: length = 4
            default: throw .malformed(message: schema.fullName)
            }
            guard length <= level.end - position else { throw .malformed(message: schema.fullName) }
            let depth = levels.count
            if tag & 7 == 2, let child = level.descriptor.child(ofField: UInt32(truncatingIfNeeded: tag >> 3)),
                depth + child.height > limit
            {
                guard depth <= limit else { throw .nestedTooDeep(message: schema.fullName, limit: limit) }
                levels.append(Level(end: position + length, descriptor: child))
            } else {
                position += length
            }
        }
    }

    /// Reads a varint of at most `maximum` bytes that ends before `end`.
    private static func varint(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, end: Int, maximum: Int
    ) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<min(maximum, end - position) {
            let byte = unsafe bytes[position + index]
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte < 0x80 {
                position += index + 1
                return value
            }
        }
        return nil
    }
}
