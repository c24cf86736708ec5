/// A message whose type is known only at run time, as a value: a schema and the fields that are set.
public struct DynamicMessage: Hashable, Sendable {
    public let schema: MessageSchema
    /// The fields that are set, by their numbers. Repeated fields and maps are here only if they have elements.
    private var values: [Int32: DynamicValue] = [:]
    public var unknownFields = UnknownFields()

    /// An empty message.
    public init(_ schema: MessageSchema) {
        self.schema = schema
    }

    /// The value of a field, nil if it is not set. Setting a member of a oneof clears the other members.
    ///
    /// The value must be of the field's kind: one of another kind is a programming error and traps when it is encoded.
    public subscript(field: FieldSchema) -> DynamicValue? {
        get { values[field.number] }
        set {
            if newValue != nil, let oneof = field.oneof {
                for other in schema.fields where other.oneof == oneof { values[other.number] = nil }
            }
            values[field.number] = newValue
        }
    }

    /// The value of the field with this name in the `.proto` file or in JSON; nil if it is not set or does not exist.
    public subscript(name: String) -> DynamicValue? {
        schema.field(named: name).flatMap { values[$0.number] }
    }

    /// Takes the value out, so that it has one owner while it is changed.
    mutating func take(_ field: FieldSchema) -> DynamicValue? { values.removeValue(forKey: field.number) }

    public static func == (a: DynamicMessage, b: DynamicMessage) -> Bool {
        a.schema === b.schema && a.values == b.values && a.unknownFields == b.unknownFields
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(schema))
        hasher.combine(values)
        hasher.combine(unknownFields)
    }
}

/// The value of one field whose type is known only at run time.
public enum DynamicValue: Hashable, Sendable {
    case double(Double)
    case float(Float)
    /// Also sint32 and sfixed32.
    case int32(Int32)
    /// Also sint64 and sfixed64.
    case int64(Int64)
    /// Also fixed32.
    case uint32(UInt32)
    /// Also fixed64.
    case uint64(UInt64)
    case bool(Bool)
    case string(String)
    case bytes([UInt8])
    /// The number of an enum, named by its schema or not.
    case `enum`(Int32)
    case message(DynamicMessage)
    case repeated([DynamicValue])
    case map([DynamicValue: DynamicValue])

    /// The default of a single value of this kind.
    public init(defaultOf kind: FieldKind) {
        self =
            switch kind {
            case .double: .double(0)
            case .float: .float(0)
            case .int32, .sint32, .sfixed32: .int32(0)
            case .int64, .sint64, .sfixed64: .int64(0)
            case .uint32, .fixed32: .uint32(0)
            case .uint64, .fixed64: .uint64(0)
            case .bool: .bool(false)
            case .string: .string("")
            case .bytes: .bytes([])
            case .enum: .enum(0)
            case .message(let schema): .message(DynamicMessage(schema()))
            }
    }
}
