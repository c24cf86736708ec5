import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Writes one message and the types inside it.
struct MessageGenerator {
    let message: Descriptor
    let names: TypeNames
    let access: String
    private let fields: [FieldModel]
    private let oneofs: [OneofModel]

    init(_ message: Descriptor, names: TypeNames, access: String) throws {
        self.message = message
        self.names = names
        self.access = access
        let sorted = message.fields.sorted { $0.number < $1.number }
        let fields = sorted.enumerated().map { FieldModel($1, index: $0, names: names) }
        self.fields = fields
        oneofs = message.realOneofs.map { OneofModel($0, fields: fields, names: names) }

        try checkNames()
    }

    /// Refuses members that would have one name in Swift, and types inside that would hide those that fields mean.
    private func checkNames() throws {
        var properties = NameScope("\(message.fullName)")
        for field in fields where field.descriptor.realContainingOneof == nil {
            try properties.add(field.name, for: field.descriptor, called: field.descriptor.name)
        }
        for oneof in oneofs {
            try properties.add(oneof.name, for: oneof.descriptor, called: oneof.descriptor.name)
            var cases = NameScope("oneof \(oneof.descriptor.name)")
            for field in oneof.fields {
                try cases.add(field.name, for: field.descriptor, called: field.descriptor.name)
            }
        }
        var types = NameScope("\(message.fullName)")
        for nested in message.messages where !nested.options.mapEntry {
            try types.add(names.ownName(of: nested), for: nested, called: nested.name)
        }
        for nested in message.enums { try types.add(names.ownName(of: nested), for: nested, called: nested.name) }
        for oneof in oneofs { try types.add(oneof.typeName, for: oneof.descriptor, called: oneof.descriptor.name) }
        for field in fields {
            let outermost = String(field.valueType.prefix { $0 != "." })
            if field.namesType, names.isHidden(outermost, inside: message) {
                throw GeneratorError(
                    at: field.descriptor,
                    "the type '\(field.valueType)' is hidden here by a type inside the message that is also called "
                        + "'\(outermost)' in Swift; rename it, or set option swift_prefix")
            }
        }
    }

    func write(to writer: inout SourceWriter) throws {
        writer.comment(names.documentation(of: message))
        try writer.block("\(access)struct \(names.ownName(of: message)): Protobuf.Message") { writer in
            writeProperties(to: &writer)
            writeInitialisers(to: &writer)
            writer.line()
            writeSchema(to: &writer)
            writer.line()
            writeMerge(to: &writer)
            writer.line()
            writeWrite(to: &writer)
            for oneof in oneofs {
                writer.line()
                oneof.writeType(to: &writer, names: names, access: access)
            }
            for enumeration in message.enums {
                writer.line()
                try EnumGenerator(enumeration: enumeration, names: names, access: access).write(to: &writer)
            }
            for nested in message.messages where !nested.options.mapEntry {
                writer.line()
                try MessageGenerator(nested, names: names, access: access).write(to: &writer)
            }
        }
    }

    /// The properties in the order of the `.proto` file, a oneof at the place of its first member.
    private var properties: [Property] {
        var result: [Property] = []
        for field in message.fields {
            if let oneof = field.realContainingOneof {
                let model = oneofs.first { $0.descriptor.index == oneof.index }!
                guard field.number == oneof.fields[0].number else { continue }
                result.append(.oneof(model))
            } else {
                result.append(.field(fields.first { $0.descriptor.number == field.number }!))
            }
        }
        return result
    }

    private func writeProperties(to writer: inout SourceWriter) {
        for property in properties {
            switch property {
            case .field(let field):
                writer.comment(names.documentation(of: field.descriptor))
                let name = SwiftIdentifier.escaped(field.name)
                guard case .indirect = field.shape else {
                    let type = field.propertyType
                    let initial = type.hasSuffix("?") ? "" : " = \(field.initialValue)"
                    writer.line("\(access)var \(name): \(type)\(initial)")
                    continue
                }
                writer.block("\(access)var \(name): \(field.propertyType)") { writer in
                    writer.line("get { \(field.storageName)?.value }")
                    writer.line("set { \(field.storageName) = newValue.map(Protobuf.Indirect.init) }")
                }
                writer.line("private var \(field.storageName): Protobuf.Indirect<\(field.valueType)>?")
            case .oneof(let oneof):
                writer.comment(names.documentation(of: oneof.descriptor))
                writer.line("\(access)var \(SwiftIdentifier.escaped(oneof.name)): \(oneof.typeName)?")
            }
        }
        writer.line("\(access)var unknownFields = Protobuf.UnknownFields()")
        writer.line()
    }

    private func writeInitialisers(to writer: inout SourceWriter) {
        writer.line("\(access)init() {}")
        guard !properties.isEmpty else { return }
        writer.line()
        writer.list(
            "\(access)init",
            properties.map { "\(SwiftIdentifier.escaped($0.name)): \($0.type) = \($0.initialValue)" }, " {")
        writer.indented { writer in
            for property in properties {
                let name = SwiftIdentifier.escaped(property.name)
                writer.line("self.\(name) = \(name)")
            }
        }
        writer.line("}")
    }

    private func writeSchema(to writer: inout SourceWriter) {
        guard !fields.isEmpty else {
            writer.line("\(access)static let schema: Protobuf.MessageSchema = .init(\"\(message.fullName)\")")
            return
        }
        writer.line("\(access)static let schema: Protobuf.MessageSchema = .init(")
        writer.indented { writer in
            writer.line("\"\(message.fullName)\",")
            if !oneofs.isEmpty {
                writer.line("oneofs: [\(oneofs.map { "\"\($0.descriptor.name)\"" }.joined(separator: ", "))],")
            }
            writer.array("fields: ", fields.map(schemaLine))
        }
        writer.line(")")
    }

    /// `.init(3, "tags", .string, .repeated)`
    private func schemaLine(of field: FieldModel) -> String {
        let descriptor = field.descriptor
        var parts = ["\(descriptor.number)", "\"\(descriptor.name)\""]
        if let (key, value) = descriptor.isMap ? descriptor.messageType.mapKeyAndValue : nil {
            parts += [value.kindExpression(names), ".map(key: \(key.kindExpression(names)))"]
        } else {
            parts.append(descriptor.kindExpression(names))
            if descriptor.isRepeated {
                parts.append(descriptor.isPacked ? ".packed" : ".repeated")
            } else if descriptor.hasPresence {
                parts.append(".optional")
            }
        }
        if let oneof = descriptor.realContainingOneof {
            parts.append("oneof: \(oneofs.firstIndex { $0.descriptor.index == oneof.index }!)")
        }
        if let json = descriptor.jsonName, json != Self.derivedJSONName(of: descriptor.name) {
            parts.append("json: \(SwiftIdentifier.literal(json))")
        }
        return ".init(\(parts.joined(separator: ", ")))"
    }

    /// The JSON name that protoc gives a field unless the `.proto` file names another.
    private static func derivedJSONName(of name: String) -> String {
        var result = ""
        var capitalise = false
        for character in name {
            if character == "_" {
                capitalise = true
            } else {
                result += capitalise ? character.uppercased() : String(character)
                capitalise = false
            }
        }
        return result
    }

    private func writeMerge(to writer: inout SourceWriter) {
        let parameter = "from view: borrowing Protobuf.MessageView"
        writer.block("\(access)mutating func merge(\(parameter)) throws(Protobuf.ProtobufError)") { writer in
            for field in fields {
                let target = "&" + field.reference
                switch field.shape {
                case .implicit: writer.line("try view.read(\(field.index), into: \(target))")
                case .optional: writer.line("try view.readOptional(\(field.index), into: \(target))")
                case .indirect:
                    writer.line("try view.readIndirect(\(field.index), into: &\(field.storageName))")
                case .repeated: writer.line("try view.readRepeated(\(field.index), into: \(target))")
                case .map: writer.line("try view.readMap(\(field.index), into: \(target))")
                case .oneof:
                    guard let oneof = oneofs.first(where: { $0.fields[0].index == field.index }) else { continue }
                    oneof.writeRead(to: &writer)
                }
            }
            writer.line("try view.readUnknownFields(into: &unknownFields)")
        }
    }

    private func writeWrite(to writer: inout SourceWriter) {
        writer.block("\(access)func write(to builder: inout Protobuf.MessageBuilder)") { writer in
            for field in fields {
                switch field.shape {
                case .implicit: writer.line("builder.write(\(field.reference), at: \(field.index))")
                case .optional: writer.line("builder.writeOptional(\(field.reference), at: \(field.index))")
                case .indirect: writer.line("builder.writeIndirect(\(field.storageName), at: \(field.index))")
                case .repeated: writer.line("builder.writeRepeated(\(field.reference), at: \(field.index))")
                case .map: writer.line("builder.writeMap(\(field.reference), at: \(field.index))")
                case .oneof:
                    guard let oneof = oneofs.first(where: { $0.fields[0].index == field.index }) else { continue }
                    oneof.writeWrite(to: &writer)
                }
            }
            writer.line("builder.write(unknownFields)")
        }
    }
}

/// A stored property of a message: a field or a oneof.
private enum Property {
    case field(FieldModel)
    case oneof(OneofModel)

    var name: String {
        switch self {
        case .field(let field): field.name
        case .oneof(let oneof): oneof.name
        }
    }

    var type: String {
        switch self {
        case .field(let field): field.propertyType
        case .oneof(let oneof): oneof.typeName + "?"
        }
    }

    var initialValue: String {
        switch self {
        case .field(let field): field.initialValue
        case .oneof: "nil"
        }
    }
}

extension FieldModel {
    /// The property inside the generated methods, whose parameters are called `view` and `builder`.
    var reference: String {
        name == "view" || name == "builder" ? "self.\(name)" : SwiftIdentifier.escaped(name)
    }
}
