/// Where a page of exchanges ended: its text is the page token.
struct ExchangePosition: Hashable, Sendable {
    /// Microseconds since 1970.
    let createdAt: Int64
    let id: String

    /// Before the newest: the end of the year 9999, and an id that sorts after every other.
    static let newest = ExchangePosition(createdAt: 253_402_300_799_000_000, id: "~")

    var token: String { "\(createdAt).\(id)" }

    init(createdAt: Int64, id: String) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Reads a token; nil when it is none of ours.
    init?(token: String) {
        let parts = token.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, token.utf8.count <= 90, let createdAt = Int64(parts[0]), createdAt >= 0,
            createdAt <= Self.newest.createdAt, parts[1].utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        self.init(createdAt: createdAt, id: String(parts[1]))
    }
}
