import Configuration
import Logging
import RPC

/// What a service's environment says, read by name. A missing or unreadable value is an error that names it.
struct ServiceSettings: Sendable {
    let reader: ConfigReader

    struct Invalid: Error, CustomStringConvertible {
        let name: String
        let problem: String
        var description: String { "\(name): \(problem)" }
    }

    /// The variable's name, for people.
    private static func variable(_ key: String) -> String {
        "MERIDIAN_" + key.uppercased().replacing(".", with: "_").replacing("-", with: "_")
    }

    func text(_ key: String) throws -> String {
        guard let value = reader.string(forKey: ConfigKey(key)), !value.isEmpty else {
            throw Invalid(name: Self.variable(key), problem: "is not set")
        }
        return value
    }

    func optionalText(_ key: String) -> String? {
        reader.string(forKey: ConfigKey(key)).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The process's name among those of its service.
    func instance(of service: ServiceName) -> String { optionalText("instance") ?? "\(service.rawValue)-1" }

    func logLevel() throws -> Logger.Level {
        let text = optionalText("log.level") ?? "info"
        guard let level = Logger.Level(rawValue: text) else {
            throw Invalid(
                name: "MERIDIAN_LOG_LEVEL",
                problem: "\"\(text)\" is none of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }

    func endpoint(_ key: String) throws -> Endpoint {
        let value = try text(key)
        guard let endpoint = Endpoint(value) else {
            throw Invalid(name: Self.variable(key), problem: "\"\(value)\" is neither host:port nor unix:PATH")
        }
        return endpoint
    }

    /// Where a peer is: whatever a client channel may lead to.
    func target(_ key: String) throws -> Target {
        do {
            return try Target(try text(key))
        } catch let error as TargetError {
            throw Invalid(name: Self.variable(key), problem: "\(error)")
        }
    }

    /// Several, with commas between them.
    func endpoints(_ key: String) throws -> [Endpoint] {
        try text(key).split(separator: ",").map { part in
            guard let endpoint = Endpoint(String(part)) else {
                throw Invalid(name: Self.variable(key), problem: "\"\(part)\" is neither host:port nor unix:PATH")
            }
            return endpoint
        }
    }

    func optionalEndpoint(_ key: String) throws -> Endpoint? { try optionalText(key).map { _ in try endpoint(key) } }

    func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let value = optionalText(key) else { return fallback }
        guard let number = Int(value), range.contains(number) else {
            throw Invalid(
                name: Self.variable(key),
                problem: "\"\(value)\" is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// False unless it is set.
    func flag(_ key: String) throws -> Bool {
        switch optionalText(key) {
        case nil, "false": return false
        case "true": return true
        case let value?:
            throw Invalid(name: Self.variable(key), problem: "\"\(value)\" is neither true nor false")
        }
    }

    func milliseconds(_ key: String) throws -> Duration? {
        guard optionalText(key) != nil else { return nil }
        return .milliseconds(try integer(key, default: 0, in: 0...86_400_000))
    }
}
