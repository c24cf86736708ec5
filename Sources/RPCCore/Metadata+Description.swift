extension Metadata {
    /// Whether the values of `key` are credentials, which belong in no log and on no screen.
    public static func isSecret(_ key: String) -> Bool {
        switch key {
        case "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key": true
        default: false
        }
    }
}

/// For logs: the text values, but those of secret keys; of binary values only their size, since nobody knows what they
/// hold. The same however it is printed, also inside another value.
extension Metadata: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[\(map(\.description).joined(separator: ", "))]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, unlabeledChildren: map(\.description)) }
}

extension Metadata.Element: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch value {
        case _ where Metadata.isSecret(key): "\(key): (not shown)"
        case .text(let text): "\(key): \(text)"
        case .bytes(let bytes): "\(key): (\(bytes.count) bytes)"
        }
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, unlabeledChildren: [description]) }
}
