/// One line of the journal file: what happened, and in which namespace.
package enum JournalRecord: Hashable, Sendable {
    case created(String)
    case deleted(String)
    case within(String, BrokerRecord)
}

/// All books of this process, each under its name. A pure value.
package struct Namespaces: Sendable {
    /// The one that is always there.
    package static let defaultName = "default"
    /// More are refused.
    package static let limit = 1000

    package struct Space: Sendable {
        package var book: BrokerBook
        /// Tells it from an earlier namespace of the same name.
        package let generation: Int

        init(generation: Int, journalLimit: Int) {
            book = BrokerBook(generation: generation, journalLimit: journalLimit)
            self.generation = generation
        }
    }

    package private(set) var spaces: [String: Space]
    private var generations = 0
    private let journalLimit: Int

    /// - Parameter journalLimit: entries of each journal in memory.
    package init(journalLimit: Int = EvidenceLog.usualLimit) {
        self.journalLimit = journalLimit
        spaces = [Self.defaultName: Space(generation: 0, journalLimit: journalLimit)]
    }

    /// How many reports the feed of each has.
    package var feedEnds: [SpaceID: Int] {
        var ends: [SpaceID: Int] = [:]
        for (name, space) in spaces { ends[SpaceID(name: name, generation: space.generation)] = space.book.feed.count }
        return ends
    }

    /// The only way in which they change.
    package mutating func apply(_ record: JournalRecord) throws(InvalidRecord) {
        switch record {
        case .created(let name):
            guard spaces[name] == nil else { throw .namespaceExists(name) }
            generations += 1
            spaces[name] = Space(generation: generations, journalLimit: journalLimit)
        case .deleted(let name):
            guard spaces.removeValue(forKey: name) != nil else { throw .unknownNamespace(name) }
        case .within(let name, let record): try apply(record, in: name)
        }
    }

    /// Changes a book where it lies.
    package mutating func apply(_ record: BrokerRecord, in name: String) throws(InvalidRecord) {
        guard spaces[name] != nil else { throw .unknownNamespace(name) }
        try spaces[name]?.book.apply(record)
    }

    /// Gives the book for a change that no record stands for: what is moot is forgotten.
    package mutating func withBook<Output>(_ name: String, _ body: (inout BrokerBook) -> Output) -> Output? {
        guard spaces[name] != nil else { return nil }
        return body(&spaces[name]!.book)
    }
}

/// A namespace as a call found it: one that was deleted since, or made anew, is not meant.
package struct SpaceID: Hashable, Sendable {
    package let name: String
    package let generation: Int

    package init(name: String, generation: Int) {
        self.name = name
        self.generation = generation
    }

    /// The one that is always there, as long as nobody has reset it.
    package static let initial = SpaceID(name: Namespaces.defaultName, generation: 0)
}
