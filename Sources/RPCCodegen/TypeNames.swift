import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What the types of `.proto` files are called in Swift, and which module they are in.
struct TypeNames {
    let options: GeneratorOptions
    /// The files whose names the `SwiftPrefix` option changes: those that are being generated.
    let generated: Set<String>

    /// The full Swift name, from the outermost type inwards: `Order.Leg`.
    func name(of message: Descriptor) -> String {
        qualified(message.name, in: message.containingType, file: message.file, suffix: "Message")
    }

    func name(of enumeration: EnumDescriptor) -> String {
        qualified(enumeration.name, in: enumeration.containingType, file: enumeration.file, suffix: "Enum")
    }

    /// The name as it is declared, without the types around it.
    func ownName(of message: Descriptor) -> String { lastPart(name(of: message)) }
    func ownName(of enumeration: EnumDescriptor) -> String { lastPart(name(of: enumeration)) }

    /// A prefix chosen by hand keeps short message names apart; services have telling names of their own and go without.
    func name(of service: ServiceDescriptor) -> String {
        let name = SwiftIdentifier.upperCamel(service.name)
        return hasChosenPrefix(service.file) ? name : prefix(of: service.file) + name
    }

    /// The enum that holds the members of a oneof, declared inside its message.
    func ownName(of oneof: OneofDescriptor) -> String {
        let name = SwiftIdentifier.upperCamel(oneof.name)
        let message = oneof.containingType!
        let others = message.messages.map { ownName(of: $0) } + message.enums.map { ownName(of: $0) }
        return others.contains(name) || Self.reserved.contains(name) ? name + "Oneof" : name
    }

    /// Whether `name`, meant as a type outside all messages, is something else inside `message`.
    func isHidden(_ name: String, inside message: Descriptor) -> Bool {
        var scope: Descriptor? = message
        while let current = scope {
            let inside =
                current.messages.map { ownName(of: $0) } + current.enums.map { ownName(of: $0) }
                + current.realOneofs.map { ownName(of: $0) }
            if inside.contains(name) { return true }
            scope = current.containingType
        }
        return false
    }

    private func qualified(
        _ name: String, in container: Descriptor?, file: FileDescriptor, suffix: String
    ) -> String {
        let camel = SwiftIdentifier.upperCamel(name)
        let own = container == nil ? prefix(of: file) + camel : camel
        let safe = Self.reserved.contains(own) ? own + suffix : own
        return container.map { self.name(of: $0) + "." + safe } ?? safe
    }

    /// `option swift_prefix`, even an empty one, or else the package: `google.rpc` gives `Google_Rpc_`.
    private func prefix(of file: FileDescriptor) -> String {
        if let prefix = options.swiftPrefix, generated.contains(file.name) { return prefix }
        if file.options.hasSwiftPrefix { return file.options.swiftPrefix }
        return file.package.split(separator: ".").map { SwiftIdentifier.upperCamel(String($0)) + "_" }.joined()
    }

    /// The text of `option swift_prefix`, if it is none that names can begin with.
    func badPrefix(of file: FileDescriptor) -> String? {
        guard file.options.hasSwiftPrefix, !file.options.swiftPrefix.isEmpty else { return nil }
        return SwiftIdentifier.isWord(file.options.swiftPrefix) ? nil : file.options.swiftPrefix
    }

    private func hasChosenPrefix(_ file: FileDescriptor) -> Bool {
        file.options.hasSwiftPrefix || (options.swiftPrefix != nil && generated.contains(file.name))
    }

    private func lastPart(_ name: String) -> String { String(name.split(separator: ".").last!) }

    /// Names that a type must not have, since generated code means something else by them.
    private static let reserved: Set<String> = [
        "Any", "Protocol", "Self", "Type", "Protobuf", "RPCCore", "String", "Bool", "Int32", "Int64", "UInt8", "UInt32",
        "UInt64", "Float", "Double", "Void", "Returned", "CaseIterable", "Hashable", "Sendable",
    ]
}
