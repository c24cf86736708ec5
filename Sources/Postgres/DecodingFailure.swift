/// A column that does not hold what the code expects. The statement itself was executed.
///
/// Names the column, never its value.
public struct DecodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        case noSuchColumn
        /// NULL where a value is required.
        case null
        /// The column's type, by its object id in `pg_type`, has no conversion to the wanted one.
        case unsupportedType(UInt32)
        /// The value lies outside the wanted type.
        case outOfRange
        /// The bytes are not in the documented form.
        case malformed
    }

    /// Zero-based.
    public let column: Int
    public let name: String
    public let wanted: String
    public let reason: Reason

    public var description: String { "column \(column) \"\(name)\" cannot be read as \(wanted): \(reason)" }
}
