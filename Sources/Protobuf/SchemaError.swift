/// Why descriptors could not become schemas.
public struct SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The full name of the type or service at fault, or the name of the file.
    public let subject: String
    public let reason: String

    init(_ subject: String, _ reason: String) {
        self.subject = subject
        self.reason = reason
    }

    public var description: String { "\(subject): \(reason)" }
}
