/// What the text of a kind of id may look like.
public protocol IDKind {
    /// Greatest length in characters; the least is 1.
    static var maximumLength: Int { get }
    /// Whether this ASCII character may occur.
    static func allows(_ character: UInt8) -> Bool
}

extension IDKind {
    public static var maximumLength: Int { 64 }
    /// Printable ASCII without the space.
    public static func allows(_ character: UInt8) -> Bool { (0x21...0x7E).contains(character) }
}
