import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// One oneof: an optional property of an enum with a case per member.
struct OneofModel {
    let descriptor: OneofDescriptor
    /// The members in the order of their numbers.
    let fields: [FieldModel]
    let typeName: String
    let name: String
    /// Whether a member leads back to the message, so that the enum has to be kept on the heap.
    let isIndirect: Bool

    init(_ oneof: OneofDescriptor, fields: [FieldModel], names: TypeNames) {
        descriptor = oneof
        let members = Set(oneof.fields.map(\.number))
        self.fields = fields.filter { members.contains($0.descriptor.number) }
        typeName = names.ownName(of: oneof)
        name = FieldModel.propertyName(of: oneof.name)
        isIndirect = oneof.fields.contains {
            $0.type == .message && FieldModel.reaches($0.messageType, oneof.containingType)
        }
    }

    private var reference: String {
        name == "view" || name == "builder" ? "self.\(name)" : SwiftIdentifier.escaped(name)
    }

    func writeType(to writer: inout SourceWriter, names: TypeNames, access: String) {
        writer.comment(names.documentation(of: descriptor))
        let head = "\(access)\(isIndirect ? "indirect " : "")enum \(typeName): Hashable, Sendable"
        writer.block(head) { writer in
            for member in descriptor.fields {
                let field = fields.first { $0.descriptor.number == member.number }!
                writer.comment(names.documentation(of: member))
                writer.line("case \(SwiftIdentifier.escaped(field.name))(\(field.valueType))")
            }
        }
    }

    func writeRead(to writer: inout SourceWriter) {
        writer.line("switch view.selected(\(fields[0].index)) {")
        for field in fields {
            let value = "view.value(\(field.index))"
            writer.line(
                "case \(field.descriptor.number): \(reference) = .\(SwiftIdentifier.escaped(field.name))(try \(value))")
        }
        writer.line("default: break")
        writer.line("}")
    }

    func writeWrite(to writer: inout SourceWriter) {
        writer.line("switch \(reference) {")
        for field in fields {
            let name = SwiftIdentifier.escaped(field.name)
            writer.line("case .\(name)(let value): builder.select(value, at: \(field.index))")
        }
        writer.line("case nil: break")
        writer.line("}")
    }
}
