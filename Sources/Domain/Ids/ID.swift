/// An identifier of one kind. Ids of two kinds are two types, so they cannot be confused.
///
/// The text is opaque: it is validated once, compared and stored, never parsed.
public struct ID<Kind: IDKind>: Hashable, Sendable {
    public let text: String

    /// - Throws: `InvalidID` when the text is empty, too long, or has a character that the kind does not allow.
    public init(_ text: String) throws(InvalidID) {
        let bytes = text.utf8
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Kind.maximumLength else { throw .tooLong(limit: Kind.maximumLength) }
        guard bytes.allSatisfy(Kind.allows) else { throw .forbiddenCharacter }
        self.text = text
    }

    /// A fresh id that sorts by time: a version 7 UUID made of the milliseconds of `time` and 74 bits of `random`.
    public init(at time: UnixTime, random: (UInt64, UInt64)) {
        self.init(unchecked: UUIDv7.text(milliseconds: time.milliseconds, random: random))
    }

    /// The id that these facts always have: 32 hexadecimal digits of a stable 128-bit hash over the parts in order.
    public init(derivedFrom facts: String...) {
        var hash = StableHash()
        for fact in facts { hash.combine(fact) }
        self.init(unchecked: hash.hexadecimal)
    }

    private init(unchecked text: String) {
        precondition(
            text.utf8.count <= Kind.maximumLength && text.utf8.allSatisfy(Kind.allows),
            "this kind of id cannot hold a generated id")
        self.text = text
    }
}

extension ID: RawRepresentable {
    public var rawValue: String { text }
    public init?(rawValue: String) {
        do { try self.init(rawValue) } catch { return nil }
    }
}

extension ID: Comparable {
    public static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

extension ID: CustomStringConvertible {
    public var description: String { text }
}
