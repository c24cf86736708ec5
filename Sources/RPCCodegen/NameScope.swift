import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The Swift names of one scope, each of which may be taken once.
struct NameScope {
    private let scope: String?
    /// Who has a name: what it is called in the `.proto` file.
    private var owners: [String: String] = [:]

    /// - Parameter scope: what the error names; nil for the outermost.
    init(_ scope: String? = nil) { self.scope = scope }

    /// Takes `name` for a declaration.
    mutating func add(
        _ name: String, for descriptor: some ProvidesSourceCodeLocation & ProvidesLocationPath, called own: String
    ) throws {
        guard let other = owners.updateValue(own, forKey: name) else { return }
        let place = scope.map { " of \($0)" } ?? ""
        let remedy = scope == nil ? "rename one, or set option swift_prefix" : "rename one"
        throw GeneratorError(
            at: descriptor, "'\(other)' and '\(own)'\(place) would both be '\(name)' in Swift; \(remedy)")
    }
}
