import CProtobufC

#if canImport(Glibc)
    import Glibc
#endif

extension String: MapKey {
    @inlinable public static var protobufStorageBytes: Int { 16 }

    /// Refuses what is not UTF-8, and NUL characters.
    public init(from cell: borrowing FieldCell) throws(ProtobufError) {
        let data = unsafe cell.load(as: ProtobufCBinaryData.self)
        guard unsafe data.len > 0 else {
            self = ""
            return
        }
        guard unsafe memchr(data.data, 0, data.len) == nil else { throw .embeddedNUL(field: cell.fieldName) }
        do {
            let bytes = unsafe UnsafeBufferPointer(start: data.data, count: data.len)
            self = try unsafe String(copying: UTF8Span(validating: Span(_unsafeElements: bytes)))
        } catch {
            throw .invalidUTF8(field: cell.fieldName)
        }
    }

    public func store(into cell: borrowing MutableFieldCell) {
        var copy = self
        copy.withUTF8 { unsafe cell.store(bytes: UnsafeRawBufferPointer($0)) }
    }

    @inlinable public var isProtobufDefault: Bool { isEmpty }
    @inlinable public static func precedes(_ a: String, _ b: String) -> Bool { a < b }
}

extension [UInt8]: FieldValue {
    @inlinable public static var protobufStorageBytes: Int { 16 }

    public init(from cell: borrowing FieldCell) throws(ProtobufError) {
        let data = unsafe cell.load(as: ProtobufCBinaryData.self)
        self = unsafe [UInt8](UnsafeBufferPointer(start: data.data, count: data.len))
    }

    public func store(into cell: borrowing MutableFieldCell) {
        unsafe withUnsafeBytes { unsafe cell.store(bytes: $0) }
    }

    @inlinable public var isProtobufDefault: Bool { isEmpty }
}

extension MutableFieldCell {
    /// Copies `bytes` into the arena and points the field at them.
    fileprivate func store(bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else {
            unsafe address.storeBytes(of: ProtobufCBinaryData(len: 0, data: nil), as: ProtobufCBinaryData.self)
            return
        }
        let target = unsafe arena.pointee.take(bytes.count)
        unsafe target.copyMemory(from: source, byteCount: bytes.count)
        let data = unsafe ProtobufCBinaryData(
            len: bytes.count, data: target.assumingMemoryBound(to: UInt8.self))
        unsafe address.storeBytes(of: data, as: ProtobufCBinaryData.self)
    }
}
