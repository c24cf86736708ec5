/// What the command line may ask for: `--meridian_opt=Visibility=Public,FileNaming=DropPath`.
public struct GeneratorOptions: Sendable {
    /// The access level of everything generated.
    public enum Visibility: String, CaseIterable, Sendable {
        case `internal` = "Internal"
        case package = "Package"
        case `public` = "Public"
    }

    /// How the path of a `.proto` file becomes that of its Swift files.
    public enum FileNaming: String, CaseIterable, Sendable {
        /// `a/b/c.proto` becomes `a/b/c.pb.swift`.
        case fullPath = "FullPath"
        /// `a/b/c.proto` becomes `a_b_c.pb.swift`.
        case pathToUnderscores = "PathToUnderscores"
        /// `a/b/c.proto` becomes `c.pb.swift`.
        case dropPath = "DropPath"
    }

    /// `Visibility=Internal|Package|Public`
    public var visibility = Visibility.internal
    /// `FileNaming=FullPath|PathToUnderscores|DropPath`
    public var fileNaming = FileNaming.fullPath
    /// `Messages=true|false`: messages and enums.
    public var messages = true
    /// `Services=true|false`: clients and service protocols.
    public var services = true
    /// `Client=true|false`: clients, if there are services at all.
    public var client = true
    /// `Server=true|false`: service protocols, if there are services at all.
    public var server = true
    /// `Comments=true|false`: whether comments are carried over.
    public var comments = true
    /// `SwiftPrefix=X`: what type names begin with, instead of what the file or its package says. May be empty.
    public var swiftPrefix: String?
    /// `Module=X`: the module that the output belongs to, which it therefore does not import.
    public var module: String?
    /// `ModuleMapping=path/:X`, any number of times: files whose path begins so, or the one file, are in module X.
    /// `ProtoPathModuleMappings=FILE` reads such from a file that protoc-gen-swift can read, too.
    public var moduleMappings: [(pathPrefix: String, module: String)] = [
        ("google/protobuf/", "Protobuf"), ("google/rpc/", "Protobuf"),
    ]

    public init() {}

    /// The keys of the command line.
    private enum Key: String, CaseIterable {
        case client = "Client"
        case comments = "Comments"
        case fileNaming = "FileNaming"
        case messages = "Messages"
        case module = "Module"
        case moduleMapping = "ModuleMapping"
        case protoPathModuleMappings = "ProtoPathModuleMappings"
        case server = "Server"
        case services = "Services"
        case swiftPrefix = "SwiftPrefix"
        case visibility = "Visibility"
    }

    /// - Parameter pairs: Keys and values in the order of the command line; a later one replaces an earlier one.
    public init(_ pairs: [(key: String, value: String)]) throws {
        for (name, value) in pairs {
            guard let key = Key(rawValue: name) else {
                let keys = Key.allCases.map(\.rawValue).joined(separator: ", ")
                throw GeneratorError("there is no option '\(name)'; there are \(keys)")
            }
            switch key {
            case .visibility: visibility = try Self.choice(key, value)
            case .fileNaming: fileNaming = try Self.choice(key, value)
            case .messages: messages = try Self.flag(key, value)
            case .services: services = try Self.flag(key, value)
            case .client: client = try Self.flag(key, value)
            case .server: server = try Self.flag(key, value)
            case .comments: comments = try Self.flag(key, value)
            case .swiftPrefix: swiftPrefix = try Self.identifier(key, value, mayBeEmpty: true)
            case .module: module = try Self.identifier(key, value)
            case .moduleMapping:
                let parts = value.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else {
                    throw GeneratorError("option ModuleMapping is 'path/:Module', not '\(value)'")
                }
                // Later ones come first, so that they win over the built-in ones.
                moduleMappings.insert((String(parts[0]), try Self.identifier(key, String(parts[1]))), at: 0)
            case .protoPathModuleMappings: moduleMappings.insert(contentsOf: try ModuleMappingFile.read(value), at: 0)
            }
        }
    }

    /// The module that a `.proto` file is in, if something says so.
    func module(ofFile path: String) -> String? {
        moduleMappings.first { mapping in
            // A file is meant by its whole path, a folder by the beginning.
            mapping.pathPrefix.hasSuffix(".proto") ? path == mapping.pathPrefix : path.hasPrefix(mapping.pathPrefix)
        }?.module
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: Key, _ value: String
    ) throws -> Choice where Choice.RawValue == String {
        if let choice = Choice(rawValue: value) { return choice }
        let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw GeneratorError("option \(key.rawValue) is one of \(choices), not '\(value)'")
    }

    private static func flag(_ key: Key, _ value: String) throws -> Bool {
        switch value {
        case "true": true
        case "false": false
        default: throw GeneratorError("option \(key.rawValue) is true or false, not '\(value)'")
        }
    }

    /// A part of the code that is written, so it must be a word.
    private static func identifier(_ key: Key, _ value: String, mayBeEmpty: Bool = false) throws -> String {
        if value.isEmpty && mayBeEmpty || SwiftIdentifier.isWord(value) { return value }
        throw GeneratorError("option \(key.rawValue) needs a Swift name, not '\(value)'")
    }
}
