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
    /// `Comments=true|false`: whether comments are carried over.
    public var comments = true
    /// `SwiftPrefix=X`: what type names begin with, instead of what the file or its package says. May be empty.
    public var swiftPrefix: String?
    /// `Module=X`: the module that the output belongs to, which it therefore does not import.
    public var module: String?
    /// `ModuleMapping=path/:X`, any number of times: files whose path begins so are in module X.
    public var moduleMappings: [(pathPrefix: String, module: String)] = [
        ("google/protobuf/", "Protobuf"), ("google/rpc/", "Protobuf"),
    ]

    public init() {}

    /// - Parameter pairs: Keys and values in the order of the command line.
    public init(_ pairs: [(key: String, value: String)]) throws {
        for (key, value) in pairs {
            switch key {
            case "Visibility": visibility = try Self.choice(key, value)
            case "FileNaming": fileNaming = try Self.choice(key, value)
            case "Messages": messages = try Self.flag(key, value)
            case "Services": services = try Self.flag(key, value)
            case "Comments": comments = try Self.flag(key, value)
            case "SwiftPrefix": swiftPrefix = value
            case "Module": module = value
            case "ModuleMapping":
                let parts = value.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else {
                    throw GeneratorError("option ModuleMapping is 'path/:Module', not '\(value)'")
                }
                // Later ones come first, so that they win over the built-in ones.
                moduleMappings.insert((String(parts[0]), String(parts[1])), at: 0)
            default: throw GeneratorError("there is no option '\(key)'")
            }
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ value: String
    ) throws -> Choice where Choice.RawValue == String {
        if let choice = Choice(rawValue: value) { return choice }
        let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw GeneratorError("option \(key) is one of \(choices), not '\(value)'")
    }

    private static func flag(_ key: String, _ value: String) throws -> Bool {
        switch value {
        case "true": true
        case "false": false
        default: throw GeneratorError("option \(key) is true or false, not '\(value)'")
        }
    }
}
