import Synchronization

/// Messages, enums and services by their full names: from descriptors that come at run time, or from generated types.
public struct SchemaPool: Sendable {
    private var messages: [String: MessageSchema] = [:]
    private var enums: [String: EnumSchema] = [:]
    private var servicesByName: [String: ServiceSchema] = [:]

    public init() {}

    /// The types that `google.protobuf` and `google.rpc` define and that generated code is shipped for here.
    public static let wellKnown: SchemaPool = {
        var pool = SchemaPool()
        for schema in [
            Google_Protobuf_Any.schema, Google_Protobuf_Timestamp.schema, Google_Protobuf_Duration.schema,
            Google_Protobuf_Empty.schema, Google_Protobuf_FieldMask.schema, Google_Protobuf_Struct.schema,
            Google_Protobuf_Value.schema, Google_Protobuf_ListValue.schema, Google_Protobuf_DoubleValue.schema,
            Google_Protobuf_FloatValue.schema, Google_Protobuf_Int64Value.schema, Google_Protobuf_UInt64Value.schema,
            Google_Protobuf_Int32Value.schema, Google_Protobuf_UInt32Value.schema, Google_Protobuf_BoolValue.schema,
            Google_Protobuf_StringValue.schema, Google_Protobuf_BytesValue.schema, GoogleRPCStatus.schema,
            GoogleRPCErrorInfo.schema, GoogleRPCRetryInfo.schema, GoogleRPCDebugInfo.schema,
            GoogleRPCQuotaFailure.schema, GoogleRPCPreconditionFailure.schema, GoogleRPCBadRequest.schema,
            GoogleRPCRequestInfo.schema, GoogleRPCResourceInfo.schema, GoogleRPCHelp.schema,
            GoogleRPCLocalizedMessage.schema,
        ] {
            pool.add(schema)
        }
        return pool
    }()

    public func message(named fullName: String) -> MessageSchema? { messages[fullName] }
    public func enumeration(named fullName: String) -> EnumSchema? { enums[fullName] }
    public func service(named fullName: String) -> ServiceSchema? { servicesByName[fullName] }

    /// All services, in the order of their names.
    public var services: [ServiceSchema] { servicesByName.values.sorted { $0.fullName < $1.fullName } }

    /// The full names of all messages, in order.
    public var messageNames: [String] { messages.keys.sorted() }

    /// The type that a `google.protobuf.Any` names: what follows the last slash.
    public func message(ofTypeURL url: String) -> MessageSchema? {
        guard let slash = url.lastIndex(of: "/") else { return nil }
        return messages[String(url[url.index(after: slash)...])]
    }

    /// Adds a message and all types that it leads to. Names that are there already stay as they are.
    public mutating func add(_ schema: MessageSchema) {
        var pending = [schema]
        while let next = pending.popLast() {
            guard messages[next.fullName] == nil else { continue }
            messages[next.fullName] = next
            for field in next.fields {
                switch field.kind {
                case .message(let schema): pending.append(schema())
                case .enum(let schema): add(schema())
                default: break
                }
            }
        }
    }

    /// Adds an enum, unless there is one of that name.
    public mutating func add(_ schema: EnumSchema) {
        if enums[schema.fullName] == nil { enums[schema.fullName] = schema }
    }

    /// Adds a service with the types of its methods, unless there is one of that name.
    public mutating func add(_ service: ServiceSchema) {
        guard servicesByName[service.fullName] == nil else { return }
        servicesByName[service.fullName] = service
        for method in service.methods {
            add(method.input)
            add(method.output)
        }
    }

    /// Adds what another pool has. Names that are there already stay as they are.
    public mutating func add(_ other: SchemaPool) {
        messages.merge(other.messages) { own, _ in own }
        enums.merge(other.enums) { own, _ in own }
        servicesByName.merge(other.servicesByName) { own, _ in own }
    }
}

extension SchemaPool {
    /// Reads a serialized `google.protobuf.FileDescriptorSet`, as `protoc --include_imports --descriptor_set_out` makes.
    public init(fileDescriptorSet bytes: [UInt8]) throws(SchemaError) {
        let set: Google_Protobuf_FileDescriptorSet
        do {
            set = try Google_Protobuf_FileDescriptorSet(decoding: bytes)
        } catch {
            throw SchemaError("descriptor set", error.description)
        }
        try self.init(set.file)
    }

    /// Links descriptors of files. The files may come in any order; every type they use must be among them.
    ///
    /// Extensions and groups (both proto2) are left out: such fields are unknown ones.
    public init(_ files: [Google_Protobuf_FileDescriptorProto]) throws(SchemaError) {
        self.init()
        var reader = DescriptorReader()
        for file in files { try reader.read(file) }
        (messages, enums) = (reader.messages, reader.enums)
        try reader.link()
        for service in try reader.services() { servicesByName[service.fullName] = service }
    }
}

/// Turns descriptors into schemas. Fields find the types they name when they are first used, so cycles are no matter.
private struct DescriptorReader {
    private final class Links: Sendable {
        let messages = Mutex<[String: MessageSchema]>([:])
        let enums = Mutex<[String: EnumSchema]>([:])
    }

    /// What decides about presence and packing. Editions have presence and packing unless their features say otherwise.
    private enum Syntax {
        case proto2, proto3, editions

        init(_ file: Google_Protobuf_FileDescriptorProto) {
            self = file.syntax == "proto3" ? .proto3 : file.syntax == "editions" ? .editions : .proto2
        }
    }

    private(set) var messages: [String: MessageSchema] = [:]
    private(set) var enums: [String: EnumSchema] = [:]
    private let links = Links()
    /// Types that fields name, and who names them.
    private var namedMessages: [String: String] = [:]
    private var namedEnums: [String: String] = [:]
    private var serviceDescriptors: [(fullName: String, Google_Protobuf_ServiceDescriptorProto)] = []

    mutating func read(_ file: Google_Protobuf_FileDescriptorProto) throws(SchemaError) {
        let package = file.package ?? ""
        let syntax = Syntax(file)
        for enumeration in file.enumType { try read(enumeration, in: package) }
        for message in file.messageType { try read(message, in: package, syntax: syntax) }
        for service in file.service {
            serviceDescriptors.append((Self.join(package, service.name ?? ""), service))
        }
    }

    /// Checks that every type that is used exists, and makes the types findable.
    func link() throws(SchemaError) {
        for (name, user) in namedMessages where messages[name] == nil {
            throw SchemaError(user, "the message \(name) is not there")
        }
        for (name, user) in namedEnums where enums[name] == nil {
            throw SchemaError(user, "the enum \(name) is not there")
        }
        links.messages.withLock { $0 = messages }
        links.enums.withLock { $0 = enums }
    }

    func services() throws(SchemaError) -> [ServiceSchema] {
        var result: [ServiceSchema] = []
        for (fullName, service) in serviceDescriptors {
            var methods: [MethodSchema] = []
            for method in service.method {
                guard let input = messages[Self.absolute(method.inputType)] else {
                    throw SchemaError(fullName, "the message \(Self.absolute(method.inputType)) is not there")
                }
                guard let output = messages[Self.absolute(method.outputType)] else {
                    throw SchemaError(fullName, "the message \(Self.absolute(method.outputType)) is not there")
                }
                methods.append(
                    MethodSchema(
                        method.name ?? "", input, output, clientStreams: method.clientStreaming ?? false,
                        serverStreams: method.serverStreaming ?? false))
            }
            result.append(ServiceSchema(fullName, methods))
        }
        return result
    }

    private mutating func read(
        _ enumeration: Google_Protobuf_EnumDescriptorProto, in scope: String
    ) throws(SchemaError) {
        let fullName = Self.join(scope, enumeration.name ?? "")
        guard enums[fullName] == nil else { throw SchemaError(fullName, "defined twice") }
        enums[fullName] = EnumSchema(fullName, enumeration.value.map { ($0.name ?? "", $0.number ?? 0) })
    }

    private mutating func read(
        _ message: Google_Protobuf_DescriptorProto, in scope: String, syntax: Syntax
    ) throws(SchemaError) {
        let fullName = Self.join(scope, message.name ?? "")
        var entries: [String: Google_Protobuf_DescriptorProto] = [:]
        for nested in message.nestedType {
            if nested.options?.mapEntry == true {
                entries[Self.join(fullName, nested.name ?? "")] = nested
            } else {
                try read(nested, in: fullName, syntax: syntax)
            }
        }
        for enumeration in message.enumType { try read(enumeration, in: fullName) }

        // protoc puts the oneofs that it makes up for proto3 `optional` behind the real ones.
        let synthetic = Set(message.field.filter { $0.proto3Optional == true }.compactMap(\.oneofIndex))
        let oneofs = message.oneofDecl.enumerated().filter { !synthetic.contains(Int32($0.offset)) }
        var fields: [FieldSchema] = []
        for field in message.field where field.type != .group {
            let name = field.name ?? ""
            let number = field.number ?? 0
            guard (1..<(1 << 29)).contains(number) else {
                throw SchemaError("\(fullName).\(name)", "\(number) is not the number of a field")
            }
            var oneof: Int?
            if let index = field.oneofIndex, field.proto3Optional != true {
                oneof = oneofs.firstIndex { $0.offset == Int(index) }
                guard oneof != nil else { throw SchemaError("\(fullName).\(name)", "its oneof does not exist") }
            }
            let entry = field.type == .message ? entries[Self.absolute(field.typeName)] : nil
            let (kind, cardinality) = try shape(
                of: field, entry: entry, in: "\(fullName).\(name)", hasOneof: oneof != nil, syntax: syntax)
            fields.append(FieldSchema(number, name, kind, cardinality, oneof: oneof, json: field.jsonName))
        }
        fields.sort { $0.number < $1.number }
        guard zip(fields, fields.dropFirst()).allSatisfy({ $0.number < $1.number }) else {
            throw SchemaError(fullName, "two fields have the same number")
        }
        guard messages[fullName] == nil else { throw SchemaError(fullName, "defined twice") }
        messages[fullName] = MessageSchema(fullName, oneofs: oneofs.map { $0.element.name ?? "" }, fields: fields)
    }

    private mutating func shape(
        of field: Google_Protobuf_FieldDescriptorProto, entry: Google_Protobuf_DescriptorProto?, in subject: String,
        hasOneof: Bool, syntax: Syntax
    ) throws(SchemaError) -> (FieldKind, FieldSchema.Cardinality) {
        if let entry {
            guard let key = entry.field.first(where: { $0.number == 1 }),
                let value = entry.field.first(where: { $0.number == 2 }), value.type != .group,
                let keyKind = Self.keyKind(of: key), field.label == .repeated
            else { throw SchemaError(subject, "its map entry is not one") }
            return (try kind(of: value, in: subject), .map(key: keyKind))
        }
        let kind = try kind(of: field, in: subject)
        if field.label == .repeated {
            guard !hasOneof else { throw SchemaError(subject, "a member of a oneof cannot be repeated") }
            switch kind {
            case .string, .bytes, .message: return (kind, .repeated)
            default: return (kind, field.options?.packed ?? (syntax != .proto2) ? .packed : .repeated)
            }
        }
        if case .message = kind { return (kind, .optional) }
        return (kind, syntax == .proto3 && field.proto3Optional != true && !hasOneof ? .implicit : .optional)
    }

    private mutating func kind(
        of field: Google_Protobuf_FieldDescriptorProto, in subject: String
    ) throws(SchemaError) -> FieldKind {
        let typeName = Self.absolute(field.typeName)
        switch field.type {
        case .double: return .double
        case .float: return .float
        case .int64: return .int64
        case .uint64: return .uint64
        case .int32: return .int32
        case .fixed64: return .fixed64
        case .fixed32: return .fixed32
        case .bool: return .bool
        case .string: return .string
        case .bytes: return .bytes
        case .uint32: return .uint32
        case .sfixed32: return .sfixed32
        case .sfixed64: return .sfixed64
        case .sint32: return .sint32
        case .sint64: return .sint64
        case .enum:
            namedEnums[typeName] = subject
            return .enum { [links] in links.enums.withLock { $0[typeName]! } }
        case .message:
            namedMessages[typeName] = subject
            return .message { [links] in links.messages.withLock { $0[typeName]! } }
        case .group, .unrecognized, nil: throw SchemaError(subject, "has no type that is known here")
        }
    }

    private static func keyKind(of field: Google_Protobuf_FieldDescriptorProto) -> MapKeyKind? {
        switch field.type {
        case .int64: .int64
        case .uint64: .uint64
        case .int32: .int32
        case .fixed64: .fixed64
        case .fixed32: .fixed32
        case .bool: .bool
        case .string: .string
        case .uint32: .uint32
        case .sfixed32: .sfixed32
        case .sfixed64: .sfixed64
        case .sint32: .sint32
        case .sint64: .sint64
        default: nil
        }
    }

    private static func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : scope + "." + name }

    /// protoc writes names of types with a leading dot.
    private static func absolute(_ name: String?) -> String {
        guard let name else { return "" }
        return name.hasPrefix(".") ? String(name.dropFirst()) : name
    }
}
