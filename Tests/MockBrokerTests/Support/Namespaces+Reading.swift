import MockBroker

extension Namespaces {
    /// What these records of the usual namespace add up to.
    init(_ records: [BrokerRecord]) throws {
        self.init()
        for record in records { try apply(record, in: Self.defaultName) }
    }

    /// What a journal adds up to, as after a restart.
    static func read(_ path: String) throws -> Namespaces {
        var namespaces = Namespaces()
        _ = try JournalFile.open(path: path) { record throws(InvalidRecord) in try namespaces.apply(record) }
        return namespaces
    }

    /// The usual namespace's.
    var book: BrokerBook { spaces[Self.defaultName]!.book }
}
