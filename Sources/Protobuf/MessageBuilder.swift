/// A message that is being encoded, filled field by field by generated code, in the memory layout of protobuf-c.
///
/// Fields are named by their position in `MessageSchema.fields`. Valid only inside the call that hands it out.
@safe public struct MessageBuilder: ~Copyable {
    @usableFromInline let message: UnsafeMutableRawPointer
    @usableFromInline let slots: UnsafePointer<FieldSlot>
    @usableFromInline let arena: UnsafeMutablePointer<Arena>
    @usableFromInline let depth: Int

    /// Levels of nesting that can be encoded. Twice what can be decoded, so a decoded message fits into others.
    @usableFromInline static let nestingLimit = 200

    /// Starts an empty message.
    /// - Parameter descriptor: The C descriptor, with our own 32 bytes before it (`MessageDescriptor`).
    @inlinable
    init(_ descriptor: UnsafeRawPointer, in arena: UnsafeMutablePointer<Arena>, depth: Int) {
        precondition(depth <= MessageBuilder.nestingLimit, "a message is nested too deep to be encoded")
        unsafe slots = descriptor.load(fromByteOffset: -32, as: UnsafePointer<FieldSlot>.self)
        let count = unsafe descriptor.load(fromByteOffset: -24, as: Int.self)
        unsafe message = arena.pointee.take(count)
        unsafe message.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        unsafe message.storeBytes(of: descriptor, as: UnsafeRawPointer.self)
        unsafe self.arena = arena
        self.depth = depth
    }

    /// A field without presence: its default is left out.
    @inlinable
    public mutating func write<T: FieldValue>(_ value: T, at index: Int) {
        guard !value.isProtobufDefault else { return }
        T.write(value, at: index, to: &self)
    }

    /// A field with presence.
    @inlinable
    public mutating func writeOptional<T: FieldValue>(_ value: T?, at index: Int) {
        guard let value else { return }
        T.write(value, at: index, to: &self)
    }

    /// A singular message of a recursive type.
    @inlinable
    public mutating func writeIndirect<T: Message>(_ value: Indirect<T>?, at index: Int) {
        guard let value else { return }
        T.write(value.value, at: index, to: &self)
    }

    /// The chosen member of a oneof, written even if it is the default.
    @inlinable
    public mutating func select<T: FieldValue>(_ value: T, at index: Int) {
        unsafe message.storeBytes(
            of: slots[index].number, toByteOffset: Int(slots[index].quantifier), as: UInt32.self)
        value.store(into: cell(index))
    }

    /// A repeated field.
    @inlinable
    public mutating func writeRepeated<T: FieldValue>(_ values: [T], at index: Int) {
        guard !values.isEmpty else { return }
        let size = T.protobufStorageBytes
        let elements = unsafe allocateElements(index, count: values.count, size: size)
        for (position, value) in values.enumerated() {
            unsafe value.store(
                into: MutableFieldCell(elements + position * size, slots + index, arena, depth: depth))
        }
    }

    /// A map, in ascending order of its keys.
    @inlinable
    public mutating func writeMap<Key: MapKey, Value: FieldValue>(_ map: [Key: Value], at index: Int) {
        guard !map.isEmpty else { return }
        let elements = unsafe allocateElements(index, count: map.count, size: 8)
        let entries = map.sorted { Key.precedes($0.key, $1.key) }
        for (position, element) in entries.enumerated() {
            var entry = unsafe MessageBuilder(slots[index].child!, in: arena, depth: depth + 1)
            Key.write(element.key, at: 0, to: &entry)
            Value.write(element.value, at: 1, to: &entry)
            unsafe elements.storeBytes(
                of: entry.message, toByteOffset: position * 8, as: UnsafeMutableRawPointer.self)
        }
    }

    @inlinable
    func cell(_ index: Int) -> MutableFieldCell {
        unsafe MutableFieldCell(message + Int(slots[index].offset), slots + index, arena, depth: depth)
    }

    /// Marks a scalar field as present.
    @inlinable
    func setFlag(_ index: Int) {
        unsafe message.storeBytes(of: 1, toByteOffset: Int(slots[index].quantifier), as: Int32.self)
    }

    /// Sets the count of a repeated field and gives it an array of that many elements.
    @inlinable
    func allocateElements(_ index: Int, count: Int, size: Int) -> UnsafeMutableRawPointer {
        let elements = unsafe arena.pointee.take(count * size)
        unsafe message.storeBytes(of: count, toByteOffset: Int(slots[index].quantifier), as: Int.self)
        unsafe message.storeBytes(
            of: elements, toByteOffset: Int(slots[index].offset), as: UnsafeMutableRawPointer.self)
        return unsafe elements
    }
}

extension Arena {
    /// Memory for encoding, which has no budget: the message is ours.
    @usableFromInline
    mutating func take(_ count: Int) -> UnsafeMutableRawPointer {
        guard let memory = unsafe allocate(count) else { fatalError("out of memory while encoding a message") }
        return unsafe memory
    }
}
