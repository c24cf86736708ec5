// The scalar types as fields.

extension Int32: MapKey {
    @inlinable public static var protobufStorageBytes: Int { 4 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) { self = cell.load(as: Int32.self) }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self) }
    @inlinable public var isProtobufDefault: Bool { self == 0 }
    @inlinable public static func precedes(_ a: Int32, _ b: Int32) -> Bool { a < b }
}

extension Int64: MapKey {
    @inlinable public static var protobufStorageBytes: Int { 8 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) { self = cell.load(as: Int64.self) }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self) }
    @inlinable public var isProtobufDefault: Bool { self == 0 }
    @inlinable public static func precedes(_ a: Int64, _ b: Int64) -> Bool { a < b }
}

extension UInt32: MapKey {
    @inlinable public static var protobufStorageBytes: Int { 4 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) { self = cell.load(as: UInt32.self) }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self) }
    @inlinable public var isProtobufDefault: Bool { self == 0 }
    @inlinable public static func precedes(_ a: UInt32, _ b: UInt32) -> Bool { a < b }
}

extension UInt64: MapKey {
    @inlinable public static var protobufStorageBytes: Int { 8 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) { self = cell.load(as: UInt64.self) }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self) }
    @inlinable public var isProtobufDefault: Bool { self == 0 }
    @inlinable public static func precedes(_ a: UInt64, _ b: UInt64) -> Bool { a < b }
}

extension Float: FieldValue {
    @inlinable public static var protobufStorageBytes: Int { 4 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) { self = cell.load(as: Float.self) }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self) }
    @inlinable public var isProtobufDefault: Bool { bitPattern == 0 }
}

extension Double: FieldValue {
    @inlinable public static var protobufStorageBytes: Int { 8 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) { self = cell.load(as: Double.self) }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self) }
    @inlinable public var isProtobufDefault: Bool { bitPattern == 0 }
}

// protobuf-c's booleans are C integers.
extension Bool: MapKey {
    @inlinable public static var protobufStorageBytes: Int { 4 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) {
        self = cell.load(as: Int32.self) != 0
    }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(self ? 1 : 0 as Int32) }
    @inlinable public var isProtobufDefault: Bool { !self }
    @inlinable public static func precedes(_ a: Bool, _ b: Bool) -> Bool { !a && b }
}
