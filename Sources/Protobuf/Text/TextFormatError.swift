/// Why text format could not become a message, or a message text format.
public struct TextFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    /// Where in the text, both counted from 1; nil when a message could not be printed. Columns count bytes.
    public let position: Position?

    public struct Position: Hashable, Sendable {
        public let line: Int
        public let column: Int
    }

    init(_ reason: String, position: Position? = nil) {
        self.reason = reason
        self.position = position
    }

    public var description: String {
        guard let position else { return reason }
        return "line \(position.line), column \(position.column): \(reason)"
    }
}
