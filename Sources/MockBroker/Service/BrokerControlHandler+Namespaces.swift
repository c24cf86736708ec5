internal import Contracts
internal import Domain
internal import Protobuf
internal import RPCCore

extension BrokerControlHandler {
    func createNamespace(
        _ request: BrokerCreateNamespaceRequest, context: ServerContext
    ) async throws -> BrokerNamespace {
        let name: String
        var behavior: Behavior?
        let rules: [Rule]
        do throws(InvalidSetting) {
            name = try SettingReader.name(request.namespace, "namespace")
            if let wire = request.behavior {
                do { behavior = try Behavior(wire) } catch { throw error.within("behavior") }
            }
            rules = try Rule.list(request.rules)
            guard request.preset.isEmpty || request.behavior == nil else {
                throw InvalidSetting(path: "behavior", problem: "does not go together with a preset")
            }
            guard !request.preset.isEmpty || request.seed == 0 else {
                throw InvalidSetting(path: "seed", problem: "belongs to a preset; a behavior has its own")
            }
        } catch {
            throw BrokerRefusal.invalidSetting(error)
        }
        var rulesOfAll = rules
        if !request.preset.isEmpty {
            let preset = try Self.preset(request.preset, seed: request.seed)
            behavior = preset.0
            let own = Set(rules.map(\.id))
            rulesOfAll = preset.1.filter { !own.contains($0.id) } + rules
        }
        let clock = try request.clock.map { change throws(BrokerRefusal) in
            let machine = core.clock.now
            return try NamespaceClock.machine.changed(change, at: machine, machine: machine)
        }
        let body = request.encoded()
        try await core.changeNamespaces { [behavior, rules = rulesOfAll] namespaces, now throws(BrokerRefusal) in
            guard namespaces.spaces[name] == nil else { throw .namespaceExists(name) }
            guard namespaces.spaces.count < Namespaces.limit else {
                throw .tooManyNamespaces(limit: Namespaces.limit)
            }
            let model = namespaces.spaces[Namespaces.defaultName]?.book
            let behavior = behavior ?? model?.configured?.behavior ?? Behavior()
            return [
                .created(name), .within(name, .controlled(method: "CreateNamespace", body: body, at: now)),
                .within(name, .clockSet(clock ?? .machine, at: now)),
            ] + Self.settings(behavior, rules, like: model, at: now).map { .within(name, $0) }
        }
        return try await state(of: name)
    }

    func resetNamespace(
        _ request: BrokerResetNamespaceRequest, context: ServerContext
    ) async throws -> BrokerNamespace {
        guard !request.keepTruth else { throw BrokerRefusal.invalidSetting(.notOffered("keep_truth")) }
        guard !request.keepJournal else { throw BrokerRefusal.invalidSetting(.notOffered("keep_journal")) }
        let name = request.namespace.isEmpty ? Namespaces.defaultName : request.namespace
        let body = request.encoded()
        try await core.changeNamespaces { namespaces, now throws(BrokerRefusal) in
            guard let book = namespaces.spaces[name]?.book else { throw .unknownNamespace(name) }
            let rules = request.dropRules ? [] : book.rules.entries.map(\.rule)
            return [
                .deleted(name), .created(name),
                .within(name, .controlled(method: "ResetNamespace", body: body, at: now)),
                .within(name, .clockSet(book.clock, at: now)),
            ] + Self.settings(book.behavior, rules, like: book, at: now).map { .within(name, $0) }
        }
        return try await state(of: name)
    }

    func deleteNamespace(
        _ request: BrokerDeleteNamespaceRequest, context: ServerContext
    ) async throws -> BrokerDeleteNamespaceResponse {
        let name = request.namespace
        guard !name.isEmpty, name != Namespaces.defaultName else {
            throw BrokerRefusal.invalidSetting(InvalidSetting(path: "namespace", problem: "cannot be the default"))
        }
        try await core.changeNamespaces { namespaces, _ throws(BrokerRefusal) in
            guard namespaces.spaces[name] != nil else { throw .unknownNamespace(name) }
            return [.deleted(name)]
        }
        return BrokerDeleteNamespaceResponse()
    }

    func listNamespaces(
        _ request: BrokerListNamespacesRequest, context: ServerContext
    ) async throws -> BrokerListNamespacesResponse {
        var namespaces: [BrokerNamespace] = []
        for name in core.names {
            do {
                namespaces.append(try await state(of: name))
            } catch BrokerRefusal.unknownNamespace {
                continue  // Deleted meanwhile.
            }
        }
        return BrokerListNamespacesResponse(namespaces: namespaces)
    }

    private func state(of name: String) async throws(BrokerRefusal) -> BrokerNamespace {
        try await core.read(in: space(name)) { book, now throws(BrokerRefusal) in
            BrokerNamespace(
                name: name, behavior: BrokerBehavior(book.behavior), clock: BrokerClockState(book, now),
                ruleCount: Int32(book.rules.entries.count), orderCount: Int64(book.orders.count))
        }
    }

    /// What a new namespace begins with: prices are those of the model.
    private static func settings(
        _ behavior: Behavior, _ rules: [Rule], like model: BrokerBook?, at now: UnixTime
    ) -> [BrokerRecord] {
        let prices = (model?.prices ?? [:]).sorted { $0.key < $1.key }
        return [.behaviorSet(behavior, .configuration, at: now)]
            + rules.map { .rulePut($0, .configuration, at: now) }
            + prices.map { .priceSet($0.key, $0.value, at: now) }
            + (model?.paths ?? [:]).sorted { $0.key < $1.key }
            .map { .pathSet($0.key, $0.value.restarted(seed: behavior.seed, at: now), at: now) }
    }
}

extension BrokerClockState {
    init(_ book: borrowing BrokerBook, _ now: UnixTime) {
        self.init(
            now: Google_Protobuf_Timestamp(now), mode: book.clock.isFrozen ? .frozen : .running,
            nextDue: book.earliestDue.map { Google_Protobuf_Timestamp($0) })
    }
}

extension BrokerRuleState {
    init(_ entry: RuleBook.Entry) {
        self.init(
            rule: entry.rule.source, matched: Int64(entry.matched), fired: Int64(entry.fired),
            lastFired: entry.lastFired.map { Google_Protobuf_Timestamp($0) })
    }
}
