import CProtobufC

extension MessageView {
    /// The fields that the schema does not name, appended to `fields`.
    ///
    /// Refuses numbers that no field may have, which protobuf-c lets pass.
    public func readUnknownFields(into fields: inout UnknownFields) throws(ProtobufError) {
        let base = unsafe message.assumingMemoryBound(to: ProtobufCMessage.self)
        for index in 0..<(unsafe Int(base.pointee.n_unknown_fields)) {
            let field = unsafe base.pointee.unknown_fields[index]
            guard unsafe (1..<(1 << 29)).contains(field.tag) else {
                throw .malformed(message: unsafe String(cString: base.pointee.descriptor.pointee.name))
            }
            unsafe fields.append(
                number: field.tag, wireType: field.wire_type.rawValue,
                data: UnsafeRawBufferPointer(start: field.data, count: field.len))
        }
    }
}

extension MessageBuilder {
    /// Writes fields that the schema does not name, after those that it does.
    public mutating func write(_ fields: UnknownFields) {
        guard !fields.isEmpty else { return }
        unsafe fields.bytes.withUnsafeBytes { bytes in
            // One entry for all fields: protobuf-c writes the tag of the first, and what follows is copied as it is.
            var tag: UInt64 = 0
            var tagBytes = 0
            repeat {
                tag |= UInt64(unsafe bytes[tagBytes] & 0x7f) << UInt64(7 * tagBytes)
                tagBytes += 1
            } while unsafe bytes[tagBytes - 1] >= 0x80
            let data = unsafe arena.pointee.take(bytes.count - tagBytes)
            unsafe data.copyMemory(from: bytes.baseAddress! + tagBytes, byteCount: bytes.count - tagBytes)
            let field = unsafe arena.pointee.take(MemoryLayout<ProtobufCMessageUnknownField>.size)
                .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: 1)
            unsafe field.initialize(
                to: ProtobufCMessageUnknownField(
                    tag: UInt32(tag >> 3), wire_type: ProtobufCWireType(UInt32(tag & 7)),
                    len: bytes.count - tagBytes, data: data.assumingMemoryBound(to: UInt8.self)))
            let base = unsafe message.assumingMemoryBound(to: ProtobufCMessage.self)
            unsafe base.pointee.n_unknown_fields = 1
            unsafe base.pointee.unknown_fields = field
        }
    }
}
