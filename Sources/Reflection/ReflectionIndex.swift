internal import Protobuf
internal import RPCCore

/// A question that has no answer here.
struct NotFound: Error {
    let what: String
}

/// Where everything that the served files define is to be found.
struct ReflectionIndex: Sendable {
    struct File: Sendable {
        let name: String
        /// As it came, so that options and fields that are not known here stay.
        let bytes: [UInt8]
        let imports: [String]
    }

    /// The full names of the services, sorted.
    let serviceNames: [String]
    /// By name. Of two files with one name the first is kept, as libraries may carry one import in two versions.
    private var files: [String: File] = [:]
    /// The file of each message, enum, service, method, field, oneof, value and extension, by its full name.
    private var symbols: [String: String] = [:]
    private var messageNames: Set<String> = []
    /// The file of each extension, by the message and the number.
    private var extensions: [String: [Int32: String]] = [:]

    /// A file that cannot be read is a fault of generated code and traps.
    init(_ services: [ServiceDescriptor]) {
        serviceNames = services.map(\.fullName).sorted()
        for bytes in services.flatMap(\.files) { add(bytes) }
    }

    /// The file of this name.
    func file(named name: String) throws(NotFound) -> File {
        guard let file = files[name] else { throw NotFound(what: "file \(name)") }
        return file
    }

    /// The file that defines a full name, with or without a leading dot.
    func file(defining symbol: String) throws(NotFound) -> File {
        guard let name = symbols[Self.absolute(symbol)] else { throw NotFound(what: "symbol \(symbol)") }
        return try file(named: name)
    }

    /// The file that extends a message by this number.
    func file(extending message: String, by number: Int32) throws(NotFound) -> File {
        guard let name = extensions[Self.absolute(message)]?[number] else {
            throw NotFound(what: "extension \(number) of \(message)")
        }
        return try file(named: name)
    }

    /// The numbers by which a message is extended, ascending.
    func extensionNumbers(of message: String) throws(NotFound) -> [Int32] {
        let name = Self.absolute(message)
        guard messageNames.contains(name) else { throw NotFound(what: "message \(message)") }
        return extensions[name]?.keys.sorted() ?? []
    }

    /// A file and the files that it imports, directly or through others, without those that `sent` names; the file
    /// itself in any case. Adds to `sent` what it gives.
    func closure(of file: File, without sent: inout Set<String>) -> [File] {
        var result = [file]
        sent.insert(file.name)
        var next = 0
        while next < result.count {
            for name in result[next].imports {
                if let imported = files[name], sent.insert(name).inserted { result.append(imported) }
            }
            next += 1
        }
        return result
    }

    // MARK: Files

    private mutating func add(_ bytes: [UInt8]) {
        let file: Google_Protobuf_FileDescriptorProto
        do {
            file = try Google_Protobuf_FileDescriptorProto(decoding: bytes)
        } catch {
            preconditionFailure("a descriptor cannot be read: \(error)")
        }
        guard let name = file.name, files[name] == nil else { return }
        files[name] = File(name: name, bytes: bytes, imports: file.dependency)
        let package = file.package ?? ""
        for message in file.messageType { add(message, in: package, file: name) }
        for enumeration in file.enumType { add(enumeration, in: package, file: name) }
        for field in file.extension { addExtension(field, in: package, file: name) }
        for service in file.service {
            let fullName = define(service.name, in: package, file: name)
            for method in service.method { define(method.name, in: fullName, file: name) }
        }
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, in scope: String, file: String) {
        let fullName = define(message.name, in: scope, file: file)
        messageNames.insert(fullName)
        for field in message.field { define(field.name, in: fullName, file: file) }
        for oneof in message.oneofDecl { define(oneof.name, in: fullName, file: file) }
        for field in message.extension { addExtension(field, in: fullName, file: file) }
        for enumeration in message.enumType { add(enumeration, in: fullName, file: file) }
        for nested in message.nestedType { add(nested, in: fullName, file: file) }
    }

    private mutating func add(_ enumeration: Google_Protobuf_EnumDescriptorProto, in scope: String, file: String) {
        define(enumeration.name, in: scope, file: file)
        // Values are named beside their enum, not inside it.
        for value in enumeration.value { define(value.name, in: scope, file: file) }
    }

    private mutating func addExtension(
        _ field: Google_Protobuf_FieldDescriptorProto, in scope: String, file: String
    ) {
        define(field.name, in: scope, file: file)
        guard let message = field.extendee, let number = field.number else { return }
        extensions[Self.absolute(message), default: [:]][number] = file
    }

    @discardableResult
    private mutating func define(_ name: String?, in scope: String, file: String) -> String {
        let fullName = scope.isEmpty ? name ?? "" : scope + "." + (name ?? "")
        symbols[fullName] = file
        return fullName
    }

    private static func absolute(_ name: String) -> String { name.hasPrefix(".") ? String(name.dropFirst()) : name }
}
