import Protobuf

/// Where one learns what a server speaks: reflection, files, or contracts that are built in.
package protocol SchemaSource: Sendable {
    /// For people: "reflection of 127.0.0.1:50051".
    var name: String { get }

    /// The full names of the services, sorted. Throws `ToolFailure`.
    func serviceNames() async throws -> [String]

    /// The files that define `symbol` (the full name of a service, method, message, enum, field, oneof or value), with
    /// all that they import. Throws `ToolFailure.noSchema` when there is none.
    func schema(of symbol: String) async throws -> Schema

    /// All files. Throws `ToolFailure`.
    func everything() async throws -> Schema
}

extension SchemaSource {
    /// Finds a method by `package.Service/Method` or `package.Service.Method`; the package, or the service as well, may be
    /// left out while only one method fits.
    package func method(_ name: String) async throws -> (method: CallableMethod, schema: Schema) {
        let words = name.split(separator: "/", omittingEmptySubsequences: false).filter { !$0.isEmpty }
        guard let dotted = words.last, words.count <= 2 else {
            throw ToolFailure.invalid("\(name) is no method; write package.Service/Method.")
        }
        let parts = words.count == 2 ? words : Self.lastDot(dotted)
        let wanted = parts.count == 2 ? String(parts[0]) : ""
        let services = try await serviceNames()
        let candidates =
            services.contains(wanted) ? [wanted] : services.filter { wanted.isEmpty || $0.hasSuffix("." + wanted) }
        var found: [(CallableMethod, Schema)] = []
        for service in candidates {
            let schema = try await schema(of: service)
            if let method = schema.method(named: String(parts[parts.count - 1]), of: service) {
                found.append((method, schema))
            }
        }
        switch found.count {
        case 1: return found[0]
        case 0:
            let known = wanted.isEmpty || candidates.isEmpty ? services : candidates
            throw ToolFailure.noSchema(
                "\(self.name) has no method \(name). It has \(known.isEmpty ? "no services" : known.joined(separator: ", "))."
            )
        default:
            let names = found.map { "\($0.0.service)/\($0.0.schema.name)" }
            throw ToolFailure.invalid("\(name) may be \(names.joined(separator: " or ")).")
        }
    }

    private static func lastDot(_ name: Substring) -> [Substring] {
        guard let dot = name.lastIndex(of: ".") else { return [name] }
        return [name[..<dot], name[name.index(after: dot)...]]
    }
}
