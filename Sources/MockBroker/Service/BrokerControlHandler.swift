internal import Contracts
internal import Domain
internal import Logging
internal import Protobuf
internal import RPCCore
internal import ServiceKit

/// What a test may tell and ask the broker. Never served on the port that clients of the broker use.
///
/// Every call that changes something is noted in the journal of its namespace.
struct BrokerControlHandler: BrokerControlService {
    let core: BrokerCore
    let connections: Connections
    let environment: ServiceEnvironment

    // MARK: Behaviour and rules

    func setBehavior(_ request: BrokerSetBehaviorRequest, context: ServerContext) async throws -> BrokerBehavior {
        guard let wire = request.behavior else {
            throw BrokerRefusal.invalidField(path: "behavior", reason: "BEHAVIOR_MISSING", problem: "is missing")
        }
        let behavior: Behavior
        do { behavior = try Behavior(wire) } catch { throw BrokerRefusal.invalidSetting(error.within("behavior")) }
        try await change("SetBehavior", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            try book.setBehavior(behavior, .control, at: now)
        }
        environment.log.info("behavior.set", metadata: ["seed": "\(behavior.seed)"])
        return BrokerBehavior(behavior)
    }

    func getBehavior(_ request: BrokerGetBehaviorRequest, context: ServerContext) async throws -> BrokerBehavior {
        try await core.read(in: space(request.namespace)) { book, _ throws(BrokerRefusal) in
            BrokerBehavior(book.behavior)
        }
    }

    func putRule(_ request: BrokerPutRuleRequest, context: ServerContext) async throws -> BrokerRule {
        guard let wire = request.rule else {
            throw BrokerRefusal.invalidField(path: "rule", reason: "RULE_MISSING", problem: "is missing")
        }
        let rule: Rule
        do { rule = try Rule(wire) } catch { throw BrokerRefusal.invalidSetting(error.within("rule")) }
        try await change("PutRule", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            guard book.rules.rule(rule.id) != nil || book.rules.entries.count < RuleBook.limit else {
                throw .tooManyRules(limit: RuleBook.limit)
            }
            return [.rulePut(rule, .control, at: now)]
        }
        environment.log.info("rule.put", metadata: ["rule_id": "\(rule.id)"])
        return rule.source
    }

    func setRules(_ request: BrokerSetRulesRequest, context: ServerContext) async throws -> BrokerListRulesResponse {
        let rules: [Rule]
        do { rules = try Rule.list(request.rules) } catch { throw BrokerRefusal.invalidSetting(error) }
        try await change("SetRules", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            let old = book.rules.entries.map(\.rule)
            let gone = Set(old.map(\.id)).subtracting(rules.map(\.id)).sorted()
            return gone.map { .ruleRemoved($0, at: now) }
                + rules.filter { !old.contains($0) }.map { .rulePut($0, .control, at: now) }
        }
        environment.log.info("rules.set", metadata: ["count": "\(rules.count)"])
        return try await listRules(BrokerListRulesRequest(namespace: request.namespace), context: context)
    }

    func deleteRule(_ request: BrokerDeleteRuleRequest, context: ServerContext) async throws -> BrokerDeleteRuleResponse
    {
        try await change("DeleteRule", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            guard book.rules.rule(request.ruleID) != nil else { throw .unknownRule(String(request.ruleID.prefix(64))) }
            return [.ruleRemoved(request.ruleID, at: now)]
        }
        return BrokerDeleteRuleResponse()
    }

    func listRules(_ request: BrokerListRulesRequest, context: ServerContext) async throws -> BrokerListRulesResponse {
        try await core.read(in: space(request.namespace)) { book, _ throws(BrokerRefusal) in
            BrokerListRulesResponse(rules: book.rules.entries.map { BrokerRuleState($0) })
        }
    }

    func loadPreset(_ request: BrokerLoadPresetRequest, context: ServerContext) async throws -> BrokerListRulesResponse
    {
        let (behavior, rules) = try Self.preset(request.preset, seed: request.seed)
        try await change("LoadPreset", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            try book.setBehavior(behavior, .control, at: now) + [.rulesCleared(at: now)]
                + rules.map { .rulePut($0, .control, at: now) }
        }
        environment.log.info("preset.loaded", metadata: ["preset": "\(request.preset)", "seed": "\(request.seed)"])
        return try await listRules(BrokerListRulesRequest(namespace: request.namespace), context: context)
    }

    // MARK: Market

    func setClock(_ request: BrokerSetClockRequest, context: ServerContext) async throws -> BrokerClockState {
        let space = try space(request.namespace)
        let machine = core.clock
        try await change("SetClock", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            [.clockSet(try book.clock.changed(request, at: now, machine: machine.now), at: now)]
        }
        return try await core.read(in: space) { book, now throws(BrokerRefusal) in BrokerClockState(book, now) }
    }

    func setPrice(_ request: BrokerSetPriceRequest, context: ServerContext) async throws -> BrokerSetPriceResponse {
        let symbol: InstrumentID = try .reading(request.symbol, "symbol", "SYMBOL_INVALID")
        let wish: PricePath.Wish
        switch (request.price, request.path) {
        case (let wire?, nil): wish = .constant(try Price(wire, field: "price"))
        case (nil, let wire?):
            do { wish = try PricePath.Wish(wire) } catch { throw BrokerRefusal.invalidSetting(error.within("path")) }
        case (nil, nil):
            throw BrokerRefusal.invalidField(path: "price", reason: "PRICE_MISSING", problem: "is missing")
        case (_?, _?):
            throw BrokerRefusal.invalidSetting(InvalidSetting(path: "path", problem: "does not go with a price"))
        }
        var touched = 0
        try await change("SetPrice", request, in: request.namespace) { book, now throws(BrokerRefusal) in
            let records = try book.setPrice(symbol, wish, at: now)
            // By hand alone nothing fills, whatever the price touches.
            touched = book.behavior.fillMode == .marketable ? book.touched(symbol, by: records).count : 0
            return records
        }
        environment.log.info("price.set", metadata: ["symbol": "\(symbol)"])
        return BrokerSetPriceResponse(touchedOrders: Int32(clamping: touched))
    }

    func fillOrder(_ request: BrokerFillOrderRequest, context: ServerContext) async throws -> BrokerFillOrderResponse {
        let id: ClientOrderID = try .reading(request.clientOrderID, "client_order_id", "CLIENT_ORDER_ID_INVALID")
        let account: AccountID? =
            request.account.isEmpty ? nil : try .reading(request.account, "account", "ACCOUNT_INVALID")
        let quantity = try request.qty.map { try Quantity($0, field: "qty") }
        let price = try request.price.map { try Price($0, field: "price") }
        let venue = core.venue
        let body = request.encoded()
        let report = try await core.perform(in: space(request.namespace)) { book, now throws(BrokerRefusal) in
            let record = try book.fillByHand(id, account: account, quantity: quantity, price: price, at: now, venue)
            return Decision(
                records: [.controlled(method: "FillOrder", body: body, at: now), record], answer: ())
        } then: { book, _ in
            book.report(book.feed.count)
        }
        return BrokerFillOrderResponse(report: report)
    }

    // MARK: Connections and process

    func breakConnections(
        _ request: BrokerBreakConnectionsRequest, context: ServerContext
    ) async throws -> BrokerBreakConnectionsResponse {
        let fault: WireFault
        do {
            fault = try WireFault(request.fault ?? BrokerTransportFault(), isOfCall: false)
        } catch {
            throw BrokerRefusal.invalidSetting(error.within("fault"))
        }
        guard case .connection(let fault) = fault else {
            throw BrokerRefusal.invalidSetting(
                InvalidSetting(path: "fault", problem: "belongs to a call and not to a connection"))
        }
        let streams = request.onlyStreams ? connections.streams : nil
        var count = 0
        for server in connections.servers {
            count += try await server.breakConnections(fault) { peer in streams?.contains(peer.address) ?? true }
            if request.newOnesToo { try await server.breakNewConnections(fault) }
        }
        environment.log.info("connections.broken", metadata: ["count": "\(count)"])
        return BrokerBreakConnectionsResponse(count: Int32(clamping: count))
    }

    func releaseConnections(
        _ request: BrokerReleaseConnectionsRequest, context: ServerContext
    ) async throws -> BrokerReleaseConnectionsResponse {
        for server in connections.servers { try await server.release() }
        return BrokerReleaseConnectionsResponse()
    }

    func crash(_ request: BrokerCrashRequest, context: ServerContext) async throws -> BrokerCrashResponse {
        let loss: CrashLoss
        do {
            loss = try CrashLoss(request.fault ?? BrokerCrashFault())
        } catch {
            throw BrokerRefusal.invalidSetting(error.within("fault"))
        }
        environment.log.warning("crash.told")
        core.crash(loss)
        try await Task.sleep(for: .seconds(30))
        throw Status(.internal, "the process was told to end and is still there")
    }

    // MARK: Plumbing

    /// What a preset means with this seed.
    static func preset(_ name: String, seed: Int64) throws(BrokerRefusal) -> (Behavior, [Rule]) {
        guard let preset = Preset.named(name)?.seeded(seed) else {
            throw .unknownPreset(String(name.prefix(64)), known: Preset.all.map(\.name))
        }
        do throws(InvalidSetting) {
            return (try Behavior(preset.behavior), try Rule.list(preset.rules))
        } catch {
            preconditionFailure("the preset \(name) is wrong: \(error)")
        }
    }

    func space(_ name: String) throws(BrokerRefusal) -> SpaceID {
        try core.space(named: name.isEmpty ? Namespaces.defaultName : name)
    }

    static func notOffered(_ method: String) -> Status {
        Status(.unimplemented, "\(method) is not offered by this version")
    }

    /// Notes the call, applies what `decide` makes, wakes whoever waits by clock or rules, and says how many records.
    @discardableResult
    func change(
        _ method: String, _ request: some Message, in namespace: String,
        _ decide: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> [BrokerRecord]
    ) async throws(BrokerRefusal) -> Int {
        let body = request.encoded()
        defer { core.announceSettings() }
        return try await core.perform(in: space(namespace)) { book, now throws(BrokerRefusal) in
            let records = try decide(book, now)
            return Decision(
                records: [.controlled(method: method, body: body, at: now)] + records, answer: records.count)
        } then: { _, count in
            count
        }
    }
}

extension NamespaceClock {
    /// What a test makes of this clock.
    func changed(
        _ request: BrokerSetClockRequest, at now: UnixTime, machine: UnixTime
    ) throws(BrokerRefusal) -> NamespaceClock {
        var time = now
        switch request.change {
        case .advance(let wire):
            guard wire.isValid, wire.duration >= .zero, wire.duration <= .seconds(10 * 365 * 86_400) else {
                throw .invalidSetting(InvalidSetting(path: "advance", problem: "must be zero to ten years"))
            }
            time = now + wire.duration
        case .set(let wire):
            guard let wanted = UnixTime(wire), wanted >= now else {
                throw .invalidSetting(InvalidSetting(path: "set", problem: "must not be earlier than the time is"))
            }
            time = wanted
        case nil: break
        }
        let isFrozen: Bool
        switch request.mode {
        case .unspecified: isFrozen = self.isFrozen
        case .running: isFrozen = false
        case .frozen: isFrozen = true
        case .unrecognized: throw .invalidSetting(InvalidSetting(path: "mode", problem: "is unknown"))
        }
        return .showing(time, isFrozen: isFrozen, machine: machine)
    }
}
