import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// One field as the templates need it.
struct FieldModel {
    let descriptor: FieldDescriptor
    /// The position among the fields of the message, which is in the order of their numbers.
    let index: Int
    /// The property or case, without backticks.
    let name: String
    /// The type of one value: `String`, `Order.Leg`.
    let valueType: String
    /// Whether this is a generated type.
    let namesType: Bool
    let shape: Shape

    enum Shape {
        /// A scalar without a label, with the literal of its default.
        case implicit(default: String)
        case optional
        /// A singular message through which its own type is reached again.
        case indirect
        case repeated
        case map(keyType: String)
        /// A member of a oneof that has more than the field.
        case oneof
    }

    init(_ field: FieldDescriptor, index: Int, names: TypeNames) {
        descriptor = field
        self.index = index
        let name = Self.propertyName(of: field.name)
        // The property of a oneof is an optional, which has cases of these names itself.
        let hidesCase = field.realContainingOneof != nil && ["none", "some"].contains(name)
        self.name = hidesCase ? name + "Field" : name
        let value = field.isMap ? field.messageType.mapKeyAndValue!.value : field
        valueType = Self.swiftType(of: value, names)
        namesType = value.type == .message || value.type == .enum
        if field.isMap {
            shape = .map(keyType: Self.swiftType(of: field.messageType.mapKeyAndValue!.key, names))
        } else if field.isRepeated {
            shape = .repeated
        } else if field.realContainingOneof != nil {
            shape = .oneof
        } else if field.type == .message, Self.reaches(field.messageType, field.containingType) {
            shape = .indirect
        } else if field.hasPresence {
            shape = .optional
        } else {
            shape = .implicit(default: Self.defaultLiteral(of: field))
        }
    }

    /// What a field or oneof is called as a property or case, without backticks.
    static func propertyName(of name: String) -> String {
        let camel = SwiftIdentifier.lowerCamel(name)
        return reserved.contains(camel) ? camel + "Field" : camel
    }

    /// The type of the property.
    var propertyType: String {
        switch shape {
        case .implicit, .oneof: valueType
        case .optional, .indirect: valueType + "?"
        case .repeated: "[\(valueType)]"
        case .map(let keyType): "[\(keyType): \(valueType)]"
        }
    }

    /// What the property holds in an empty message.
    var initialValue: String {
        switch shape {
        case .implicit(let literal): literal
        case .optional, .indirect, .oneof: "nil"
        case .repeated: "[]"
        case .map: "[:]"
        }
    }

    /// The stored property behind one that is kept on the heap.
    var storageName: String { name + "Storage" }

    /// Whether values of `message` can contain `target`, other than through arrays.
    static func reaches(_ message: Descriptor, _ target: Descriptor) -> Bool {
        var pending = [message]
        var seen: Set<String> = []
        while let next = pending.popLast() {
            if next.fullName == target.fullName { return true }
            guard seen.insert(next.fullName).inserted else { continue }
            pending += next.fields.filter { $0.type == .message && !$0.isRepeated }.map { $0.messageType! }
        }
        return false
    }

    private static func swiftType(of field: FieldDescriptor, _ names: TypeNames) -> String {
        switch field.type {
        case .double: "Double"
        case .float: "Float"
        case .int32, .sint32, .sfixed32: "Int32"
        case .int64, .sint64, .sfixed64: "Int64"
        case .uint32, .fixed32: "UInt32"
        case .uint64, .fixed64: "UInt64"
        case .bool: "Bool"
        case .string: "String"
        case .bytes: "[UInt8]"
        case .enum: names.name(of: field.enumType)
        case .message, .group: names.name(of: field.messageType)
        }
    }

    private static func defaultLiteral(of field: FieldDescriptor) -> String {
        switch field.type {
        case .bool: "false"
        case .string: "\"\""
        case .bytes: "[]"
        case .enum: "." + SwiftIdentifier.escaped(EnumCases(field.enumType).names[0])
        default: "0"
        }
    }

    /// Members that every message has.
    private static let reserved: Set<String> = [
        "unknownFields", "merge", "write", "encoded", "jsonString", "hash", "hashValue", "self", "init",
        "isProtobufDefault",
    ]
}

extension FieldDescriptor {
    /// `.string`, `.message { Hold.schema }`: an expression of type `FieldKind`.
    func kindExpression(_ names: TypeNames) -> String {
        switch type {
        case .double: ".double"
        case .float: ".float"
        case .int32: ".int32"
        case .int64: ".int64"
        case .uint32: ".uint32"
        case .uint64: ".uint64"
        case .sint32: ".sint32"
        case .sint64: ".sint64"
        case .fixed32: ".fixed32"
        case .fixed64: ".fixed64"
        case .sfixed32: ".sfixed32"
        case .sfixed64: ".sfixed64"
        case .bool: ".bool"
        case .string: ".string"
        case .bytes: ".bytes"
        case .enum: ".enum { \(names.name(of: enumType)).schema }"
        case .message, .group: ".message { \(names.name(of: messageType)).schema }"
        }
    }
}
