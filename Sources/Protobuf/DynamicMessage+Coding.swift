extension DynamicMessage {
    /// Decodes a message; as strict as the decoding of generated types.
    public init(
        decoding bytes: [UInt8], as schema: MessageSchema, limits: DecodingLimits = .default
    ) throws(ProtobufError) {
        self.init(schema)
        try unsafe bytes.span.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) throws(ProtobufError) in
            try unsafe schema.unpack(bytes, limits: limits) { (view: borrowing MessageView) throws(ProtobufError) in
                try merge(from: view)
            }
        }
    }

    /// The message on the wire, after `prefixBytes` zero bytes.
    public func encoded(reserving prefixBytes: Int = 0) -> [UInt8] {
        schema.pack(reserving: prefixBytes) { builder in write(to: &builder) }
    }

    fileprivate mutating func merge(from view: borrowing MessageView) throws(ProtobufError) {
        for (index, field) in schema.fields.enumerated() where view.isPresent(index) {
            switch field.cardinality {
            case .repeated, .packed:
                var elements: [DynamicValue] = []
                if case .repeated(let earlier)? = take(field) { elements = earlier }
                try view.forEachElement(index, stride: field.kind.storageBytes) { (cell) throws(ProtobufError) in
                    elements.append(try DynamicValue(field.kind, from: cell))
                }
                self[field] = .repeated(elements)
            case .map(let key):
                var entries: [DynamicValue: DynamicValue] = [:]
                if case .map(let earlier)? = take(field) { entries = earlier }
                try view.forEachMessage(index) { (entry) throws(ProtobufError) in
                    let key = try entry.singular(0, key.kind) ?? DynamicValue(defaultOf: key.kind)
                    entries[key] = try entry.singular(1, field.kind) ?? DynamicValue(defaultOf: field.kind)
                }
                self[field] = .map(entries)
            case .implicit, .optional:
                if field.oneof != nil {
                    guard view.selected(index) == field.number else { continue }
                    self[field] = try DynamicValue(field.kind, from: view.cell(index))
                } else if case .message(let schema) = field.kind {
                    var message = DynamicMessage(schema())
                    if case .message(let earlier)? = take(field) { message = earlier }
                    try view.forEachMessage(index) { (view) throws(ProtobufError) in try message.merge(from: view) }
                    self[field] = .message(message)
                } else {
                    let value = try DynamicValue(field.kind, from: view.cell(index))
                    // Without presence, a default that was sent all the same is as good as none; it replaces what an
                    // earlier occurrence of this message has brought.
                    self[field] = field.cardinality == .optional || !value.isDefault ? value : nil
                }
            }
        }
        try view.readUnknownFields(into: &unknownFields)
    }

    fileprivate func write(to builder: inout MessageBuilder) {
        for (index, field) in schema.fields.enumerated() {
            guard let value = self[field] else { continue }
            // What is stored below must have the size that the field has in memory.
            precondition(value.fits(field), "\(schema.fullName).\(field.name) holds a value of another kind")
            switch (field.cardinality, value) {
            case (.repeated, .repeated(let elements)), (.packed, .repeated(let elements)):
                let stride = field.kind.storageBytes
                let memory = unsafe builder.allocateElements(index, count: elements.count, size: stride)
                for (position, element) in elements.enumerated() {
                    unsafe element.store(
                        into: MutableFieldCell(
                            memory + position * stride, builder.slots + index, builder.arena, depth: builder.depth))
                }
            case (.map, .map(let entries)):
                let memory = unsafe builder.allocateElements(index, count: entries.count, size: 8)
                let sorted = entries.sorted { DynamicValue.keyPrecedes($0.key, $1.key) }
                for (position, (key, value)) in sorted.enumerated() {
                    var entry = unsafe MessageBuilder(
                        builder.slots[index].child!, in: builder.arena, depth: builder.depth + 1)
                    entry.writeSingular(key, at: 0)
                    entry.writeSingular(value, at: 1)
                    unsafe memory.storeBytes(
                        of: entry.message, toByteOffset: position * 8, as: UnsafeMutableRawPointer.self)
                }
            case (.implicit, _), (.optional, _):
                if field.oneof != nil {
                    unsafe builder.message.storeBytes(
                        of: UInt32(field.number), toByteOffset: Int(builder.slots[index].quantifier), as: UInt32.self)
                    value.store(into: builder.cell(index))
                } else if field.cardinality == .optional || !value.isDefault {
                    builder.writeSingular(value, at: index)
                }
            default: preconditionFailure("unreachable: the value fits the field")
            }
        }
        builder.write(unknownFields)
    }
}

extension MessageView {
    /// A singular field outside a oneof, nil if it is absent.
    fileprivate func singular(_ index: Int, _ kind: FieldKind) throws(ProtobufError) -> DynamicValue? {
        guard isPresent(index) else { return nil }
        guard case .message = kind else { return try DynamicValue(kind, from: cell(index)) }
        // The last one is enough for the value of a map: an entry never has two.
        var value: DynamicValue?
        try forEachElement(index, stride: 8) { (cell) throws(ProtobufError) in
            value = try DynamicValue(kind, from: cell)
        }
        return value
    }

    fileprivate func forEachElement(
        _ index: Int, stride: Int, _ body: (borrowing FieldCell) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        let count = count(index)
        guard count > 0 else { return }
        let elements = unsafe elements(index)
        for position in 0..<count { try unsafe body(FieldCell(elements + position * stride, slots + index)) }
    }

    fileprivate func forEachMessage(
        _ index: Int, _ body: (borrowing MessageView) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        try forEachElement(index, stride: 8) { (cell) throws(ProtobufError) in
            try unsafe body(MessageView(cell.load(as: UnsafeRawPointer.self)))
        }
    }
}

extension MessageBuilder {
    /// A singular field outside a oneof.
    fileprivate mutating func writeSingular(_ value: DynamicValue, at index: Int) {
        if case .message = value {
            let memory = unsafe allocateElements(index, count: 1, size: 8)
            unsafe value.store(into: MutableFieldCell(memory, slots + index, arena, depth: depth))
        } else {
            setFlag(index)
            value.store(into: cell(index))
        }
    }
}

extension DynamicValue {
    fileprivate init(_ kind: FieldKind, from cell: borrowing FieldCell) throws(ProtobufError) {
        switch kind {
        case .double: self = .double(try Double(from: cell))
        case .float: self = .float(try Float(from: cell))
        case .int32, .sint32, .sfixed32: self = .int32(try Int32(from: cell))
        case .int64, .sint64, .sfixed64: self = .int64(try Int64(from: cell))
        case .uint32, .fixed32: self = .uint32(try UInt32(from: cell))
        case .uint64, .fixed64: self = .uint64(try UInt64(from: cell))
        case .bool: self = .bool(try Bool(from: cell))
        case .string: self = .string(try String(from: cell))
        case .bytes: self = .bytes(try [UInt8](from: cell))
        case .enum: self = .enum(try Int32(from: cell))
        case .message(let schema):
            var message = DynamicMessage(schema())
            try unsafe message.merge(from: MessageView(cell.load(as: UnsafeRawPointer.self)))
            self = .message(message)
        }
    }

    fileprivate func store(into cell: borrowing MutableFieldCell) {
        switch self {
        case .double(let value): value.store(into: cell)
        case .float(let value): value.store(into: cell)
        case .int32(let value), .enum(let value): value.store(into: cell)
        case .int64(let value): value.store(into: cell)
        case .uint32(let value): value.store(into: cell)
        case .uint64(let value): value.store(into: cell)
        case .bool(let value): value.store(into: cell)
        case .string(let value): value.store(into: cell)
        case .bytes(let value): value.store(into: cell)
        case .message(let message):
            var builder = unsafe MessageBuilder(cell.slot.pointee.child!, in: cell.arena, depth: cell.depth + 1)
            message.write(to: &builder)
            unsafe cell.store(builder.message)
        case .repeated, .map: preconditionFailure("a single value is needed here")
        }
    }

    fileprivate func fits(_ field: FieldSchema) -> Bool {
        switch (field.cardinality, self) {
        case (.repeated, .repeated(let elements)), (.packed, .repeated(let elements)):
            elements.allSatisfy { $0.fits(field.kind) }
        case (.map(let key), .map(let entries)):
            entries.allSatisfy { $0.key.fits(key.kind) && $0.value.fits(field.kind) }
        case (.implicit, _), (.optional, _): fits(field.kind)
        default: false
        }
    }

    private func fits(_ kind: FieldKind) -> Bool {
        switch (kind, self) {
        case (.double, .double), (.float, .float), (.bool, .bool), (.string, .string), (.bytes, .bytes),
            (.int32, .int32), (.sint32, .int32), (.sfixed32, .int32), (.uint32, .uint32), (.fixed32, .uint32),
            (.int64, .int64), (.sint64, .int64), (.sfixed64, .int64), (.uint64, .uint64), (.fixed64, .uint64),
            (.enum, .enum):
            true
        case (.message(let schema), .message(let message)): message.schema === schema()
        default: false
        }
    }

    /// Whether a field without presence leaves the value out.
    var isDefault: Bool {
        switch self {
        case .double(let value): value.isProtobufDefault
        case .float(let value): value.isProtobufDefault
        case .int32(let value), .enum(let value): value == 0
        case .int64(let value): value == 0
        case .uint32(let value): value == 0
        case .uint64(let value): value == 0
        case .bool(let value): !value
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .message: false
        case .repeated(let elements): elements.isEmpty
        case .map(let entries): entries.isEmpty
        }
    }

    /// The order in which maps are written.
    static func keyPrecedes(_ a: DynamicValue, _ b: DynamicValue) -> Bool {
        switch (a, b) {
        case (.int32(let a), .int32(let b)): a < b
        case (.int64(let a), .int64(let b)): a < b
        case (.uint32(let a), .uint32(let b)): a < b
        case (.uint64(let a), .uint64(let b)): a < b
        case (.bool(let a), .bool(let b)): !a && b
        case (.string(let a), .string(let b)): a < b
        default: preconditionFailure("keys of a map have one kind")
        }
    }
}

extension FieldKind {
    /// Bytes that one value takes in protobuf-c's arrays.
    fileprivate var storageBytes: Int {
        switch self {
        case .float, .int32, .enum, .uint32, .sint32, .fixed32, .sfixed32, .bool: 4
        case .double, .int64, .uint64, .sint64, .fixed64, .sfixed64, .message: 8
        case .string, .bytes: 16
        }
    }
}
