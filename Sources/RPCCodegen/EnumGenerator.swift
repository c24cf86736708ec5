import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The Swift cases of an enum.
struct EnumCases {
    /// The values with a number of their own, in the order of the `.proto` file.
    let values: [EnumValueDescriptor]
    /// One name for each, without backticks.
    let names: [String]
    /// Further names for numbers that have one already.
    let aliases: [(value: EnumValueDescriptor, name: String)]

    init(_ enumeration: EnumDescriptor) {
        let stripped = enumeration.values.map { Self.name(of: $0, strippingPrefix: true) }
        let all =
            Set(stripped).count == stripped.count
            ? stripped : enumeration.values.map { Self.name(of: $0, strippingPrefix: false) }
        var values: [EnumValueDescriptor] = []
        var names: [String] = []
        var aliases: [(value: EnumValueDescriptor, name: String)] = []
        for (value, name) in zip(enumeration.values, all) {
            if values.contains(where: { $0.number == value.number }) {
                aliases.append((value, name))
            } else {
                values.append(value)
                names.append(name)
            }
        }
        self.values = values
        self.names = names
        self.aliases = aliases
    }

    /// `ORDER_STATE_PENDING` in `OrderState` becomes `pending`.
    private static func name(of value: EnumValueDescriptor, strippingPrefix: Bool) -> String {
        var name = value.name
        let prefix = SwiftIdentifier.screamingSnake(value.enumType.name) + "_"
        if strippingPrefix, name.uppercased().hasPrefix(prefix) {
            let rest = name.dropFirst(prefix.count)
            if rest.first?.isLetter == true { name = String(rest) }
        }
        let camel = SwiftIdentifier.lowerCamel(name, allCaps: name == name.uppercased())
        return reserved.contains(camel) ? camel + "Value" : camel
    }

    private static let reserved: Set<String> = [
        "unrecognized", "init", "self", "rawValue", "schema", "allCases", "hash", "hashValue",
    ]
}

/// Writes one enum.
struct EnumGenerator {
    let enumeration: EnumDescriptor
    let names: TypeNames
    let access: String

    func write(to writer: inout SourceWriter) throws {
        let cases = EnumCases(enumeration)
        var scope = NameScope("enum \(enumeration.fullName)")
        for (value, name) in zip(cases.values, cases.names) { try scope.add(name, for: value, called: value.name) }
        for (value, name) in cases.aliases { try scope.add(name, for: value, called: value.name) }
        let escaped = cases.names.map(SwiftIdentifier.escaped)
        writer.comment(names.documentation(of: enumeration))
        writer.block("\(access)enum \(names.ownName(of: enumeration)): Protobuf.ProtobufEnum, CaseIterable") { writer in
            for (value, name) in zip(cases.values, escaped) {
                writer.comment(names.documentation(of: value))
                writer.line("case \(name)")
            }
            writer.comment("A number that this version of the schema does not name.")
            writer.line("case unrecognized(Int32)")
            for (value, name) in cases.aliases {
                writer.line()
                writer.comment(names.documentation(of: value))
                let target = escaped[cases.values.firstIndex { $0.number == value.number }!]
                writer.line("\(access)static let \(SwiftIdentifier.escaped(name)) = Self.\(target)")
            }
            writer.line()
            writer.comment("The values that the schema names.")
            writer.list(
                "\(access)static let allCases: [Self] = ", escaped.map { "." + $0 }, open: "[", close: "]",
                trailingComma: true)
            writer.line()
            writer.line("\(access)init() { self = .\(escaped[0]) }")
            writer.line()
            writer.block("\(access)init(rawValue: Int32)") { writer in
                writer.line("switch rawValue {")
                for (value, name) in zip(cases.values, escaped) {
                    writer.line("case \(value.number): self = .\(name)")
                }
                writer.line("default: self = .unrecognized(rawValue)")
                writer.line("}")
            }
            writer.line()
            writer.block("\(access)var rawValue: Int32") { writer in
                writer.line("switch self {")
                for (value, name) in zip(cases.values, escaped) {
                    writer.line("case .\(name): \(value.number)")
                }
                writer.line("case .unrecognized(let number): number")
                writer.line("}")
            }
            writer.line()
            writer.line("\(access)static let schema: Protobuf.EnumSchema = .init(")
            writer.indented { writer in
                writer.line("\"\(enumeration.fullName)\",")
                writer.array("", enumeration.values.map { "(\"\($0.name)\", \($0.number))" })
            }
            writer.line(")")
        }
    }
}
