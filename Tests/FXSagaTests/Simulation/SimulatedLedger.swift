import Domain

/// One participant: accounts, outcomes under keys, and the entries that were made.
struct SimulatedLedger {
    struct Entry: Hashable {
        let key: String
        let amount: Int
    }

    /// What a negative control switches off.
    let weakness: Simulation.Weakness?
    private(set) var balance: Int
    private(set) var outcomes: [String: OperationOutcome] = [:]
    private(set) var entries: [Entry] = []

    init(balance: Int, weakness: Simulation.Weakness?) {
        self.balance = balance
        self.weakness = weakness
    }

    /// Moves money once for each key; a negative amount leaves the account.
    mutating func move(_ key: String, _ amount: Int, refusing: Bool) -> OperationOutcome {
        if let known = outcomes[key] {
            if weakness == .keysForget, known == .applied { record(key, amount) }
            return known
        }
        guard !refusing, balance + amount >= 0 else { return store(key, .refused("RULE")) }
        record(key, amount)
        return store(key, .applied)
    }

    mutating func resolve(_ key: String) -> OperationOutcome {
        if let known = outcomes[key] { return known }
        return weakness == .inquiryDoesNotSeal ? .sealed : store(key, .sealed)
    }

    mutating func cancel(_ key: String) -> OperationOutcome {
        guard let known = outcomes[key] else { return store(key, .sealed) }
        guard known == .applied || (weakness == .cancelRepeats && known == .reversed) else { return known }
        let withdrawn = entries.first { $0.key == key }?.amount ?? 0
        record(key, -withdrawn)
        return store(key, .reversed)
    }

    private mutating func record(_ key: String, _ amount: Int) {
        balance += amount
        entries.append(Entry(key: key, amount: amount))
    }

    private mutating func store(_ key: String, _ outcome: OperationOutcome) -> OperationOutcome {
        outcomes[key] = outcome
        return outcome
    }
}
