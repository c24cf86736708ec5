import CProtobufC
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A schema compiled into the tables that drive protobuf-c, made once and never freed.
///
/// In memory: 32 bytes of our own (pointer to the slots, size of a message, height, number of fields), then the C
/// descriptor. protobuf-c puts a pointer to the C descriptor at the start of each message, so a message leads to its
/// slots without a look-up.
///
/// How fields are declared to protobuf-c, which differs from what its own generator does, and why:
/// - `string` as `bytes`: no `strlen`, so text with a NUL is not cut short.
/// - Fields without a label as optional ones with a flag: the library's own test for "default" drops -0.0.
/// - Singular messages as repeated ones, merged in Swift: the library's merge loses fields that are present but empty.
/// - Enums as `int32`: the same on the wire, and unknown numbers are kept.
@safe struct MessageDescriptor {
    static let headerBytes = 32
    /// One more than the deepest nesting that is ever allowed: "higher than any limit".
    static let unboundedHeight = 101

    private let pointer: UnsafeRawPointer

    init(bits: UInt) { unsafe pointer = UnsafeRawPointer(bitPattern: bits)! }
    fileprivate init(_ pointer: UnsafeRawPointer) { unsafe self.pointer = pointer }

    var bits: UInt { unsafe UInt(bitPattern: pointer) }

    var c: UnsafePointer<ProtobufCMessageDescriptor> {
        unsafe pointer.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }

    private var header: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(mutating: pointer - Self.headerBytes) }

    /// One slot per field, in the order of `MessageSchema.fields`.
    fileprivate(set) var slots: UnsafePointer<FieldSlot> {
        get { unsafe header.load(as: UnsafePointer<FieldSlot>.self) }
        nonmutating set { unsafe header.storeBytes(of: newValue, as: UnsafePointer<FieldSlot>.self) }
    }

    /// Bytes of the message struct.
    fileprivate(set) var messageBytes: Int {
        get { unsafe header.load(fromByteOffset: 8, as: Int.self) }
        nonmutating set { unsafe header.storeBytes(of: newValue, toByteOffset: 8, as: Int.self) }
    }

    /// The longest chain of sub-messages below this type; `unboundedHeight` if the type is recursive.
    fileprivate(set) var height: Int {
        get { unsafe header.load(fromByteOffset: 16, as: Int.self) }
        nonmutating set { unsafe header.storeBytes(of: newValue, toByteOffset: 16, as: Int.self) }
    }

    fileprivate(set) var fieldCount: Int {
        get { unsafe header.load(fromByteOffset: 24, as: Int.self) }
        nonmutating set { unsafe header.storeBytes(of: newValue, toByteOffset: 24, as: Int.self) }
    }

    /// The type of the sub-message in field `number`, or of the entry if it is a map.
    func child(ofField number: UInt32) -> MessageDescriptor? {
        var low = 0
        var high = fieldCount
        while low < high {
            let middle = (low + high) / 2
            let found = unsafe slots[middle].number
            if found == number { return unsafe slots[middle].child.map { unsafe MessageDescriptor($0) } }
            if found < number { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}

/// Where one field lives in the struct of its message.
@safe @usableFromInline
struct FieldSlot {
    /// Of the value.
    @usableFromInline let offset: UInt32
    /// Of the flag, the count, or the number of the chosen member of the oneof.
    @usableFromInline let quantifier: UInt32
    @usableFromInline let number: UInt32
    fileprivate let index: UInt32
    /// The C descriptor of the sub-message, or of the entry if it is a map.
    @usableFromInline let child: UnsafeRawPointer?
    private let schema: Unmanaged<MessageSchema>

    fileprivate init(
        offset: Int, quantifier: Int, number: Int32, index: Int, child: MessageDescriptor?, schema: MessageSchema
    ) {
        self.offset = UInt32(offset)
        self.quantifier = UInt32(quantifier)
        self.number = UInt32(number)
        self.index = UInt32(index)
        unsafe self.child = child.map { unsafe UnsafeRawPointer($0.c) }
        // The slot lives as long as the process, so must the schema.
        unsafe self.schema = Unmanaged.passRetained(schema)
    }

    /// The full name of the field, for errors.
    var fieldName: String {
        let schema = unsafe self.schema.takeUnretainedValue()
        return "\(schema.fullName).\(schema.fields[Int(index)].name)"
    }
}

extension MessageDescriptor {
    private static let compilation = Mutex(())

    /// Compiles `schema` and all types it leads to.
    static func compile(_ schema: MessageSchema) -> MessageDescriptor {
        compilation.withLock { _ in
            if let descriptor = schema.descriptorIfCompiled { return descriptor }
            var compiler = DescriptorCompiler()
            return compiler.compile(schema)
        }
    }
}

/// One compilation: the types that are being compiled refer to each other before any of them is published.
private struct DescriptorCompiler {
    private var made: [ObjectIdentifier: MessageDescriptor] = [:]
    private var schemas: [MessageSchema] = []

    mutating func compile(_ root: MessageSchema) -> MessageDescriptor {
        let descriptor = reserve(root)
        // `schemas` grows while new types are met; a loop, not recursion, so a long chain of types is harmless.
        var position = 0
        while position < schemas.count {
            fill(schemas[position])
            position += 1
        }
        measureHeights()
        for schema in schemas { schema.publish(made[ObjectIdentifier(schema)]!) }
        return descriptor
    }

    /// The descriptor of `schema`, possibly still to be filled.
    private mutating func reserve(_ schema: MessageSchema) -> MessageDescriptor {
        if let descriptor = schema.descriptorIfCompiled ?? made[ObjectIdentifier(schema)] { return descriptor }
        let bytes = unsafe MessageDescriptor.headerBytes + MemoryLayout<ProtobufCMessageDescriptor>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        let descriptor = unsafe MessageDescriptor(UnsafeRawPointer(memory + MessageDescriptor.headerBytes))
        made[ObjectIdentifier(schema)] = descriptor
        schemas.append(schema)
        return descriptor
    }

    private mutating func fill(_ schema: MessageSchema) {
        let descriptor = made[ObjectIdentifier(schema)]!
        let count = schema.fields.count
        let layout = MessageLayout(of: schema)
        let slots = UnsafeMutablePointer<FieldSlot>.allocate(capacity: max(count, 1))
        let fields = UnsafeMutablePointer<ProtobufCFieldDescriptor>.allocate(capacity: max(count, 1))
        for (index, field) in schema.fields.enumerated() {
            let child = child(of: field, in: schema)
            let place = layout.places[index]
            unsafe (slots + index).initialize(
                to: FieldSlot(
                    offset: place.offset, quantifier: place.quantifier, number: field.number, index: index,
                    child: child, schema: schema))
            unsafe (fields + index).initialize(to: ProtobufCFieldDescriptor())
            unsafe fields[index].name = UnsafePointer(strdup(field.name))
            unsafe fields[index].id = UInt32(field.number)
            unsafe fields[index].label = field.isRepeatedInC ? PROTOBUF_C_LABEL_REPEATED : PROTOBUF_C_LABEL_OPTIONAL
            unsafe fields[index].type = field.typeInC
            unsafe fields[index].quantifier_offset = UInt32(place.quantifier)
            unsafe fields[index].offset = UInt32(place.offset)
            unsafe fields[index].descriptor = child.map { unsafe UnsafeRawPointer($0.c) }
            var flags: UInt32 = 0
            if field.oneof != nil { flags |= PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue }
            if field.cardinality == .packed { flags |= PROTOBUF_C_FIELD_FLAG_PACKED.rawValue }
            unsafe fields[index].flags = flags
        }
        unsafe descriptor.slots = UnsafePointer(slots)
        descriptor.messageBytes = layout.messageBytes
        descriptor.fieldCount = count

        let ranges = numberRanges(of: schema)
        let rangeTable = UnsafeMutablePointer<ProtobufCIntRange>.allocate(capacity: ranges.count)
        unsafe rangeTable.initialize(from: ranges, count: ranges.count)
        let c = unsafe UnsafeMutablePointer(mutating: descriptor.c)
        unsafe c.pointee.magic = UInt32(PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
        unsafe c.pointee.name = UnsafePointer(strdup(schema.fullName))
        unsafe c.pointee.short_name = c.pointee.name
        unsafe c.pointee.c_name = c.pointee.name
        unsafe c.pointee.package_name = c.pointee.name
        unsafe c.pointee.sizeof_message = layout.messageBytes
        unsafe c.pointee.n_fields = UInt32(count)
        // protobuf-c looks at the first field before it knows whether there is one, unless this is NULL.
        unsafe c.pointee.fields = count == 0 ? nil : UnsafePointer(fields)
        unsafe c.pointee.n_field_ranges = UInt32(ranges.count - 1)
        unsafe c.pointee.field_ranges = UnsafePointer(rangeTable)
    }

    private mutating func child(of field: FieldSchema, in schema: MessageSchema) -> MessageDescriptor? {
        if case .map(let key) = field.cardinality {
            let entry = MessageSchema(
                "\(schema.fullName).\(field.name)",
                fields: [
                    FieldSchema(1, "key", key.kind, .optional), FieldSchema(2, "value", field.kind, .optional),
                ])
            return reserve(entry)
        }
        if case .message(let schema) = field.kind { return reserve(schema()) }
        return nil
    }

    /// Runs of consecutive field numbers, and a last element that only bears the number of fields.
    private func numberRanges(of schema: MessageSchema) -> [ProtobufCIntRange] {
        var ranges: [ProtobufCIntRange] = []
        var previous: Int32?
        for (index, field) in schema.fields.enumerated() {
            if field.number != previous.map({ $0 + 1 }) {
                ranges.append(ProtobufCIntRange(start_value: field.number, orig_index: UInt32(index)))
            }
            previous = field.number
        }
        ranges.append(ProtobufCIntRange(start_value: 0, orig_index: UInt32(schema.fields.count)))
        return ranges
    }

    /// Sets the heights by letting them grow until they rest or pass every limit.
    private func measureHeights() {
        for _ in 0..<MessageDescriptor.unboundedHeight {
            var changed = false
            for schema in schemas {
                let descriptor = made[ObjectIdentifier(schema)]!
                var height = 0
                for index in 0..<descriptor.fieldCount {
                    guard let child = unsafe descriptor.slots[index].child else { continue }
                    height = max(height, unsafe MessageDescriptor(child).height + 1)
                }
                height = min(height, MessageDescriptor.unboundedHeight)
                if height != descriptor.height {
                    descriptor.height = height
                    changed = true
                }
            }
            if !changed { return }
        }
    }
}

/// The struct that holds one decoded message: the base that protobuf-c prescribes, then values, then flags.
private struct MessageLayout {
    var places: [(offset: Int, quantifier: Int)]
    var messageBytes: Int

    init(of schema: MessageSchema) {
        var end = unsafe MemoryLayout<ProtobufCMessage>.stride
        func take(_ bytes: Int) -> Int {
            defer { end += bytes }
            return end
        }
        places = schema.fields.map { _ in (0, 0) }
        // What needs 8 bytes of alignment comes first.
        var unions: [Int: Int] = [:]
        for (index, field) in schema.fields.enumerated() {
            if let oneof = field.oneof {
                if unions[oneof] == nil { unions[oneof] = unsafe take(MemoryLayout<ProtobufCBinaryData>.stride) }
                places[index].offset = unions[oneof]!
            } else if field.isRepeatedInC {
                places[index] = (take(8), take(8))
            } else if field.valueBytesInC >= 8 {
                places[index].offset = take(field.valueBytesInC)
            }
        }
        var cases: [Int: Int] = [:]
        for (index, field) in schema.fields.enumerated() where !field.isRepeatedInC {
            if let oneof = field.oneof {
                if cases[oneof] == nil { cases[oneof] = take(4) }
                places[index].quantifier = cases[oneof]!
            } else {
                if field.valueBytesInC == 4 { places[index].offset = take(4) }
                places[index].quantifier = take(4)
            }
        }
        messageBytes = (end + 7) & ~7
    }
}

extension FieldSchema {
    /// Whether protobuf-c sees a repeated field: also for maps and singular messages, but not for members of a oneof.
    fileprivate var isRepeatedInC: Bool {
        switch cardinality {
        case .repeated, .packed, .map: return true
        case .implicit, .optional:
            guard case .message = kind else { return false }
            return oneof == nil
        }
    }

    fileprivate var typeInC: ProtobufCType {
        if case .map = cardinality { return PROTOBUF_C_TYPE_MESSAGE }
        return switch kind {
        case .double: PROTOBUF_C_TYPE_DOUBLE
        case .float: PROTOBUF_C_TYPE_FLOAT
        case .int32, .enum: PROTOBUF_C_TYPE_INT32
        case .int64: PROTOBUF_C_TYPE_INT64
        case .uint32: PROTOBUF_C_TYPE_UINT32
        case .uint64: PROTOBUF_C_TYPE_UINT64
        case .sint32: PROTOBUF_C_TYPE_SINT32
        case .sint64: PROTOBUF_C_TYPE_SINT64
        case .fixed32: PROTOBUF_C_TYPE_FIXED32
        case .fixed64: PROTOBUF_C_TYPE_FIXED64
        case .sfixed32: PROTOBUF_C_TYPE_SFIXED32
        case .sfixed64: PROTOBUF_C_TYPE_SFIXED64
        case .bool: PROTOBUF_C_TYPE_BOOL
        case .string, .bytes: PROTOBUF_C_TYPE_BYTES
        case .message: PROTOBUF_C_TYPE_MESSAGE
        }
    }

    fileprivate var valueBytesInC: Int {
        switch kind {
        case .float, .int32, .enum, .uint32, .sint32, .fixed32, .sfixed32, .bool: 4
        case .double, .int64, .uint64, .sint64, .fixed64, .sfixed64, .message: 8
        case .string, .bytes: 16
        }
    }
}
