/// Why bytes are not a compressed message.
public enum DecompressionError: Error, Hashable, Sendable {
    /// Not of this form, cut short, damaged, or followed by something else.
    case malformed
    /// More than the limit comes out; found as soon as that much has.
    case tooLarge(limit: Int)
}
