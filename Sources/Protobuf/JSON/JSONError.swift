/// Why JSON could not become a message, or a message JSON.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where in the message: `items[3].limitPrice`, `labels["a"]`; empty for the message itself.
    public let path: String
    public let reason: String
    /// Where in the text, both counted from 1, if the text itself is not JSON. Columns count bytes.
    public let position: Position?

    public struct Position: Hashable, Sendable {
        public let line: Int
        public let column: Int
    }

    init(path: String = "", _ reason: String, position: Position? = nil) {
        self.path = path
        self.reason = reason
        self.position = position
    }

    public var description: String {
        if let position { return "line \(position.line), column \(position.column): \(reason)" }
        return path.isEmpty ? reason : "\(path): \(reason)"
    }
}
