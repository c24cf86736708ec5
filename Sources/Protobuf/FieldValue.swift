/// The types that a field can hold: the scalars, `String`, `[UInt8]`, enums and messages.
///
/// The conformances are here and in generated code; the requirements are for generated code only.
public protocol FieldValue: Hashable, Sendable {
    /// The default of the field.
    init()

    /// Bytes that one value takes in protobuf-c's arrays.
    static var protobufStorageBytes: Int { get }

    /// Reads one value out of a decoded message.
    init(from cell: borrowing FieldCell) throws(ProtobufError)

    /// Puts the value into a message that is being encoded.
    func store(into cell: borrowing MutableFieldCell)

    /// Whether the value is the default, which a proto3 field without a label does not send. -0.0 is not.
    var isProtobufDefault: Bool { get }

    /// Reads a singular field: leaves `value` alone if the field is absent.
    static func read(_ index: Int, of view: borrowing MessageView, into value: inout Self) throws(ProtobufError)

    /// Writes a singular field that is present.
    static func write(_ value: Self, at index: Int, to builder: inout MessageBuilder)
}

/// The types that can be the key of a map.
public protocol MapKey: FieldValue {
    /// The order in which maps are written, so that equal messages have equal bytes.
    static func precedes(_ a: Self, _ b: Self) -> Bool
}

/// A generated enum: open, so it can hold numbers that its `.proto` file does not name.
public protocol ProtobufEnum: FieldValue, RawRepresentable where RawValue == Int32 {
    init(rawValue: Int32)
    static var schema: EnumSchema { get }
}

/// One value in the memory of a decoded message.
@safe public struct FieldCell: ~Copyable {
    @usableFromInline let address: UnsafeRawPointer
    @usableFromInline let slot: UnsafePointer<FieldSlot>

    @inlinable
    init(_ address: UnsafeRawPointer, _ slot: UnsafePointer<FieldSlot>) {
        unsafe self.address = address
        unsafe self.slot = slot
    }

    /// Reads a plain value.
    @inlinable
    func load<T: BitwiseCopyable>(as type: T.Type) -> T {
        unsafe address.load(as: type)
    }

    /// The full name of the field, for errors.
    var fieldName: String { unsafe slot.pointee.fieldName }
}

/// Room for one value in the memory of a message that is being encoded.
@safe public struct MutableFieldCell: ~Copyable {
    @usableFromInline let address: UnsafeMutableRawPointer
    @usableFromInline let slot: UnsafePointer<FieldSlot>
    @usableFromInline let arena: UnsafeMutablePointer<Arena>
    @usableFromInline let depth: Int

    @inlinable
    init(
        _ address: UnsafeMutableRawPointer, _ slot: UnsafePointer<FieldSlot>, _ arena: UnsafeMutablePointer<Arena>,
        depth: Int
    ) {
        unsafe self.address = address
        unsafe self.slot = slot
        unsafe self.arena = arena
        self.depth = depth
    }

    /// Writes a plain value.
    @inlinable
    func store<T: BitwiseCopyable>(_ value: T) {
        unsafe address.storeBytes(of: value, as: T.self)
    }
}

extension FieldValue {
    @inlinable
    public static func read(
        _ index: Int, of view: borrowing MessageView, into value: inout Self
    ) throws(ProtobufError) {
        guard view.isPresent(index) else { return }
        value = try Self(from: view.cell(index))
    }

    @inlinable
    public static func write(_ value: Self, at index: Int, to builder: inout MessageBuilder) {
        builder.setFlag(index)
        value.store(into: builder.cell(index))
    }
}

extension ProtobufEnum {
    @inlinable public static var protobufStorageBytes: Int { 4 }
    @inlinable public init(from cell: borrowing FieldCell) throws(ProtobufError) {
        self.init(rawValue: cell.load(as: Int32.self))
    }
    @inlinable public func store(into cell: borrowing MutableFieldCell) { cell.store(rawValue) }
    @inlinable public var isProtobufDefault: Bool { rawValue == 0 }
}
