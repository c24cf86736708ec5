import Synchronization

/// What the `.proto` file says about one message type: its full name and its fields.
///
/// Generated types have one each (`Message.schema`); a `SchemaPool` builds them from descriptors at run time.
/// The tables that protobuf-c needs are made at the first use and stay for the life of the process.
public final class MessageSchema: Sendable {
    /// With the package, without a leading dot: `meridian.account.v1.Hold`.
    public let fullName: String
    /// In ascending order of their numbers.
    public let fields: [FieldSchema]
    /// Names of the oneofs, which `FieldSchema.oneof` counts.
    public let oneofs: [String]

    /// The compiled descriptor (`MessageDescriptor`), once there is one.
    private let compiled = Atomic<UInt>(0)

    /// - Parameter fields: In ascending order of their numbers.
    public init(_ fullName: String, oneofs: [String] = [], fields: [FieldSchema] = []) {
        precondition(
            zip(fields, fields.dropFirst()).allSatisfy { $0.number < $1.number },
            "\(fullName): fields must be in ascending order of their numbers"
        )
        self.fullName = fullName
        self.oneofs = oneofs
        self.fields = fields
    }

    /// The field with this name in the `.proto` file or in JSON.
    public func field(named name: String) -> FieldSchema? {
        fields.first { $0.jsonName == name } ?? fields.first { $0.name == name }
    }

    /// The field with this number.
    public func field(number: Int32) -> FieldSchema? {
        fields.first { $0.number == number }
    }

    var descriptor: MessageDescriptor {
        let bits = compiled.load(ordering: .acquiring)
        return bits != 0 ? MessageDescriptor(bits: bits) : MessageDescriptor.compile(self)
    }

    /// Nil as long as the schema has not been compiled.
    var descriptorIfCompiled: MessageDescriptor? {
        let bits = compiled.load(ordering: .acquiring)
        return bits != 0 ? MessageDescriptor(bits: bits) : nil
    }

    /// Makes a complete descriptor visible to all threads.
    func publish(_ descriptor: MessageDescriptor) {
        compiled.store(descriptor.bits, ordering: .releasing)
    }
}

/// What the `.proto` file says about one field.
public struct FieldSchema: Sendable {
    /// From 1 to 2^29 - 1.
    public let number: Int32
    /// As in the `.proto` file: `client_order_id`.
    public let name: String
    /// As in JSON: `clientOrderId`.
    public let jsonName: String
    public let kind: FieldKind
    public let cardinality: Cardinality
    /// The index of the oneof it belongs to. The oneof that protoc makes up for a proto3 `optional` does not count.
    public let oneof: Int?

    public init(
        _ number: Int32,
        _ name: String,
        _ kind: FieldKind,
        _ cardinality: Cardinality = .implicit,
        oneof: Int? = nil,
        json: String? = nil
    ) {
        self.number = number
        self.name = name
        self.kind = kind
        self.cardinality = cardinality
        self.oneof = oneof
        jsonName = json ?? FieldSchema.jsonName(of: name)
    }

    /// How often a field may occur, and whether its absence differs from its default.
    public enum Cardinality: Sendable, Hashable {
        /// proto3 without a label: the default value is not sent, absent means default. Messages are always optional.
        case implicit
        /// May be absent, which differs from being the default: proto3 `optional`, messages, members of a oneof.
        case optional
        case repeated
        /// Repeated numbers in one length-prefixed block; both forms are accepted.
        case packed
        /// A map with keys of this kind; `kind` is that of the values.
        case map(key: MapKeyKind)
    }

    /// The name that protoc derives for JSON: `client_order_id` becomes `clientOrderId`.
    package static func jsonName(of name: String) -> String {
        var result = ""
        var capitalise = false
        for character in name.unicodeScalars {
            if character == "_" {
                capitalise = true
            } else if capitalise, ("a"..."z").contains(character) {
                result.unicodeScalars.append(Unicode.Scalar(UInt8(character.value) - 32))
                capitalise = false
            } else {
                result.unicodeScalars.append(character)
                capitalise = false
            }
        }
        return result
    }
}

/// The type of a field. Schemas of other types are reached through closures, since types may be recursive.
public enum FieldKind: Sendable {
    case double, float
    case int32, int64, uint32, uint64
    case sint32, sint64
    case fixed32, fixed64, sfixed32, sfixed64
    case bool, string, bytes
    case `enum`(@Sendable () -> EnumSchema)
    case message(@Sendable () -> MessageSchema)
}

/// The types that may be the key of a map.
public enum MapKeyKind: Sendable, Hashable {
    case int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, bool, string

    var kind: FieldKind {
        switch self {
        case .int32: .int32
        case .int64: .int64
        case .uint32: .uint32
        case .uint64: .uint64
        case .sint32: .sint32
        case .sint64: .sint64
        case .fixed32: .fixed32
        case .fixed64: .fixed64
        case .sfixed32: .sfixed32
        case .sfixed64: .sfixed64
        case .bool: .bool
        case .string: .string
        }
    }
}

/// The names and numbers of one enum. Enums are open: other numbers are kept as they are.
public final class EnumSchema: Sendable {
    public let fullName: String
    /// In the order of the `.proto` file; the first name of a number is its canonical one.
    public let values: [(name: String, number: Int32)]

    public init(_ fullName: String, _ values: [(name: String, number: Int32)]) {
        self.fullName = fullName
        self.values = values
    }

    public func name(of number: Int32) -> String? { values.first { $0.number == number }?.name }
    public func number(named name: String) -> Int32? { values.first { $0.name == name }?.number }
}
