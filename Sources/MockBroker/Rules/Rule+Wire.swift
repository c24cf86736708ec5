package import Contracts
internal import Domain
internal import Protobuf

extension Rule {
    /// Reads a rule.
    ///
    /// - Throws: the first thing in it that makes no sense, with the field's path within the rule.
    package init(_ wire: BrokerRule) throws(InvalidSetting) {
        try UnknownParts.refuse(in: wire)
        source = wire
        id = try SettingReader.name(wire.ruleID, "rule_id")
        priority = Int(wire.priority)
        guard let action = wire.action else { throw InvalidSetting(path: "action", problem: "is missing") }
        self.action = try RuleAction(action)
        do { selector = try RuleSelector(wire.when ?? BrokerSelector()) } catch { throw error.within("when") }
        point = try self.action.place(wire.at, selector)
        alsoApplyLowerPriority = wire.alsoApplyLowerPriority
        maximumFirings = try Self.limit(wire.maxFirings, "max_firings")
        maximumFiringsPerSubject = try Self.limit(wire.maxFiringsPerSubject, "max_firings_per_subject")
        probability = try SettingReader.number(wire.probability ?? 1, in: 0...1, "probability")
        isEnabled = !wire.disabled
        _ = try SettingReader.text(wire.note, upTo: 256, "note")
        if point.isAboutReports, !selector.operations.isEmpty {
            throw InvalidSetting(path: "when.operations", problem: "does not belong to a rule about reports")
        }
        if !point.isAboutReports, !selector.reports.isEmpty {
            throw InvalidSetting(path: "when.exec_types", problem: "belongs to rules about reports only")
        }
        try self.action.check(selector)
    }

    /// Reads all rules of a namespace; refusals begin with `rules[n]`.
    package static func list(_ wire: [BrokerRule]) throws(InvalidSetting) -> [Rule] {
        guard wire.count <= RuleBook.limit else {
            throw InvalidSetting(path: "rules", problem: "must be at most \(RuleBook.limit)")
        }
        var rules: [Rule] = []
        var ids: Set<String> = []
        for (index, wire) in wire.enumerated() {
            do { rules.append(try Rule(wire)) } catch { throw error.within("rules[\(index)]") }
            guard ids.insert(wire.ruleID).inserted else {
                throw InvalidSetting(path: "rules[\(index)].rule_id", problem: "is the id of an earlier rule, too")
            }
        }
        return rules
    }

    private static func limit(_ value: Int32, _ path: String) throws(InvalidSetting) -> Int? {
        try SettingReader.number(value, in: 0...Int32.max, path) == 0 ? nil : Int(value)
    }
}

extension RuleAction {
    /// The places at which it can strike, and the usual one of them.
    private func places(_ selector: RuleSelector) -> (usual: InjectionPoint, all: Set<InjectionPoint>) {
        switch self {
        case .latency:
            let usual: InjectionPoint = selector.reports.isEmpty ? .afterCommitBeforeReply : .beforeEvent
            return (usual, InjectionPoint.requests.union(InjectionPoint.reports).subtracting([.duringReply]))
        case .rpc(.status): return (.beforeRead, InjectionPoint.requests.subtracting([.duringReply]))
        case .rpc(.wrongBody): return (.afterCommitBeforeReply, [.afterCommitBeforeReply])
        case .rpc(.noAnswer):
            return (.afterCommitBeforeReply, InjectionPoint.requests.subtracting([.duringReply]))
        case .order, .fills: return (.afterReadBeforeCommit, [.afterReadBeforeCommit])
        case .event(let fault): return (fault.usualPlace, fault.places)
        case .visibility: return (.afterCommitBeforeReply, [.afterCommitBeforeReply])
        case .capacity: return (.beforeRead, [.beforeRead])
        case .transport(let fault): return fault.places
        case .crash: return (.afterCommitBeforeReply, Set(InjectionPoint.allCases).subtracting([.duringReply]))
        }
    }

    fileprivate func place(
        _ wire: BrokerInjectionPoint, _ selector: RuleSelector
    ) throws(InvalidSetting) -> InjectionPoint {
        let (usual, all) = places(selector)
        guard let wanted = InjectionPoint(rawValue: UInt8(clamping: wire.rawValue)) else { return usual }
        guard all.contains(wanted) else {
            throw InvalidSetting(path: "at", problem: "is no place where this action can strike")
        }
        return wanted
    }

    /// Refuses selectors that this action never meets.
    fileprivate func check(_ selector: RuleSelector) throws(InvalidSetting) {
        guard let operations, !selector.operations.isSubset(of: operations) else { return }
        throw InvalidSetting(path: "when.operations", problem: "has a call in which this action has no meaning")
    }

    fileprivate init(_ wire: BrokerRule.Action) throws(InvalidSetting) {
        func read<Value>(
            _ path: String, _ body: () throws(InvalidSetting) -> Value
        ) throws(InvalidSetting) -> Value {
            do { return try body() } catch { throw error.within(path) }
        }
        switch wire {
        case .latency(let wire):
            self = .latency(
                try read("latency") { () throws(InvalidSetting) in try LatencyDistribution(wire, mayFreeze: true) })
        case .rpc(let wire): self = .rpc(try read("rpc") { () throws(InvalidSetting) in try RPCFault(wire) })
        case .order(let wire): self = .order(try read("order") { () throws(InvalidSetting) in try OrderFault(wire) })
        case .fills(let wire): self = .fills(try read("fills") { () throws(InvalidSetting) in try FillScript(wire) })
        case .event(let wire): self = .event(try read("event") { () throws(InvalidSetting) in try EventFault(wire) })
        case .crash(let wire): self = .crash(try read("crash") { () throws(InvalidSetting) in try CrashLoss(wire) })
        case .transport(let wire):
            self = .transport(try read("transport") { () throws(InvalidSetting) in try WireFault(wire) })
        case .visibility(let wire):
            self = .visibility(try read("visibility") { () throws(InvalidSetting) in try VisibilityFault(wire) })
        case .capacity(let wire):
            self = .capacity(try read("capacity") { () throws(InvalidSetting) in try CapacityFault(wire) })
        }
    }
}

extension InvalidSetting {
    /// What the contract names and this version does not do.
    static func notOffered(_ path: String) -> InvalidSetting {
        InvalidSetting(path: path, problem: "is not offered by this version")
    }
}

extension RPCFault {
    init(_ wire: BrokerRpcFault) throws(InvalidSetting) {
        switch wire.fault {
        case .status(let wire):
            let code = try SettingReader.number(wire.code, in: 1...16, "status.code")
            let retry = try SettingReader.microseconds(wire.retryAfter, "status.retry_after")
            self = .status(
                code: Int(code), message: try SettingReader.text(wire.message, upTo: 1024, "status.message"),
                detail: wire.detail, retryAfter: retry.map { .microseconds($0) })
        case .noAnswer: self = .noAnswer
        case .wrongBody(let kind):
            switch kind {
            case .empty: self = .wrongBody(.empty)
            case .otherOrder: self = .wrongBody(.otherOrder)
            case .unknownEnum: self = .wrongBody(.unknownEnum)
            case .unknownField: self = .wrongBody(.unknownField)
            case .unspecified, .unrecognized: throw InvalidSetting(path: "wrong_body", problem: "is missing")
            }
        case nil: throw InvalidSetting(path: "fault", problem: "is missing")
        }
    }
}

extension CrashLoss {
    init(_ wire: BrokerCrashFault) throws(InvalidSetting) {
        switch wire.loss {
        case nil: self = .nothing
        case .lastWrites(let time):
            self = .lastWrites(.microseconds(try SettingReader.requiredMicroseconds(time, "last_writes")))
        case .everything: self = .everything
        }
    }
}
