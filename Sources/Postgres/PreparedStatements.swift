internal import CLibpq
internal import DequeModule

/// The statements that one connection has prepared, by text and parameter types; the least recently used ones leave.
struct PreparedStatements {
    struct Key: Hashable {
        let sql: String
        let types: [Oid]
    }

    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var namesGiven: UInt64 = 0

    /// - Parameter capacity: how many stay prepared between checkouts; at least 1.
    init(capacity: Int) {
        precondition(capacity >= 1, "a connection keeps at least one prepared statement")
        self.capacity = capacity
    }

    var count: Int { entries.count }

    /// The name of the statement and whether the server must still prepare it.
    mutating func name(for key: Key) -> (name: String, isNew: Bool) {
        uses += 1
        if let name = entries[key]?.name {
            entries[key]?.lastUse = uses
            return (name, false)
        }
        namesGiven += 1
        let entry = Entry(name: "m\(namesGiven)", lastUse: uses)
        entries[key] = entry
        return (entry.name, true)
    }

    /// Forgets a statement that the server did not prepare after all.
    mutating func forget(_ key: Key) { entries[key] = nil }

    /// Removes the least recently used statements past the capacity and returns their names, for DEALLOCATE.
    mutating func evict() -> [String] {
        guard entries.count > capacity else { return [] }
        let oldest = entries.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(entries.count - capacity)
        for (key, _) in oldest { entries[key] = nil }
        return oldest.map(\.value.name)
    }
}
