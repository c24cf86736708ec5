/// A decoded message in protobuf-c's memory, read field by field by generated code.
///
/// Fields are named by their position in `MessageSchema.fields`. Valid only inside the call that hands it out.
@safe public struct MessageView: ~Copyable {
    @usableFromInline let message: UnsafeRawPointer
    @usableFromInline let slots: UnsafePointer<FieldSlot>

    /// - Parameter message: A `ProtobufCMessage`, which begins with the pointer to its descriptor; 32 bytes before that
    ///   is the pointer to the slots (`MessageDescriptor`).
    @inlinable
    init(_ message: UnsafeRawPointer) {
        unsafe self.message = message
        let descriptor = unsafe message.load(as: UnsafeRawPointer.self)
        unsafe slots = descriptor.load(fromByteOffset: -32, as: UnsafePointer<FieldSlot>.self)
    }

    /// Whether the field, or the oneof that it belongs to, is set.
    @inlinable
    public func isPresent(_ index: Int) -> Bool {
        unsafe message.load(fromByteOffset: Int(slots[index].quantifier), as: UInt32.self) != 0
    }

    /// The number of the chosen member of the oneof that field `index` belongs to, 0 if none is.
    @inlinable
    public func selected(_ index: Int) -> UInt32 {
        unsafe message.load(fromByteOffset: Int(slots[index].quantifier), as: UInt32.self)
    }

    /// The value of the chosen member of a oneof.
    @inlinable
    public func value<T: FieldValue>(_ index: Int, as type: T.Type = T.self) throws(ProtobufError) -> T {
        try T(from: cell(index))
    }

    /// A singular field: `value` stays as it is if the field is absent, and a message is merged into it.
    @inlinable
    public func read<T: FieldValue>(_ index: Int, into value: inout T) throws(ProtobufError) {
        try T.read(index, of: self, into: &value)
    }

    /// A singular field with presence.
    @inlinable
    public func readOptional<T: FieldValue>(_ index: Int, into value: inout T?) throws(ProtobufError) {
        guard isPresent(index) else { return }
        // Taken out while it is merged: with two owners its arrays would be copied for each of many occurrences.
        var present = value.take() ?? T()
        try T.read(index, of: self, into: &present)
        value = present
    }

    /// A singular message of a recursive type.
    @inlinable
    public func readIndirect<T: Message>(_ index: Int, into value: inout Indirect<T>?) throws(ProtobufError) {
        guard isPresent(index) else { return }
        var present = value.take()?.value ?? T()
        try T.read(index, of: self, into: &present)
        value = Indirect(present)
    }

    /// A repeated field: what is there is appended.
    @inlinable
    public func readRepeated<T: FieldValue>(_ index: Int, into values: inout [T]) throws(ProtobufError) {
        let count = count(index)
        guard count > 0 else { return }
        let elements = unsafe elements(index)
        // Not for later occurrences: room made exactly to measure each time would be copied each time.
        if values.isEmpty { values.reserveCapacity(count) }
        for position in 0..<count {
            let address = unsafe elements + position * T.protobufStorageBytes
            values.append(try unsafe T(from: FieldCell(address, slots + index)))
        }
    }

    /// A map: of two entries with the same key the later one wins.
    @inlinable
    public func readMap<Key: MapKey, Value: FieldValue>(
        _ index: Int, into map: inout [Key: Value]
    ) throws(ProtobufError) {
        let count = count(index)
        guard count > 0 else { return }
        let elements = unsafe elements(index)
        if map.isEmpty { map.reserveCapacity(count) }
        for position in 0..<count {
            let entry = unsafe MessageView(elements.load(fromByteOffset: position * 8, as: UnsafeRawPointer.self))
            var key = Key()
            var value = Value()
            try Key.read(0, of: entry, into: &key)
            try Value.read(1, of: entry, into: &value)
            map[key] = value
        }
    }

    @inlinable
    func cell(_ index: Int) -> FieldCell {
        unsafe FieldCell(message + Int(slots[index].offset), slots + index)
    }

    /// The number of elements of a repeated field, map or singular message.
    @inlinable
    func count(_ index: Int) -> Int {
        unsafe message.load(fromByteOffset: Int(slots[index].quantifier), as: Int.self)
    }

    /// The array of a repeated field, map or singular message that has elements.
    @inlinable
    func elements(_ index: Int) -> UnsafeRawPointer {
        unsafe message.load(fromByteOffset: Int(slots[index].offset), as: UnsafeRawPointer.self)
    }
}
