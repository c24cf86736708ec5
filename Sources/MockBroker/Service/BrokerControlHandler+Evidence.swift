internal import Contracts
internal import Domain
internal import Protobuf
internal import RPCCore

extension BrokerControlHandler {
    func getTruth(_ request: BrokerGetTruthRequest, context: ServerContext) async throws -> BrokerTruth {
        let account: AccountID? =
            request.account.isEmpty ? nil : try .reading(request.account, "account", "ACCOUNT_INVALID")
        for (path, value) in [
            ("after_order", request.afterOrder), ("after_sequence", request.afterSequence),
            ("limit", Int64(request.limit)),
        ] where value < 0 {
            throw BrokerRefusal.invalidField(path: path, reason: "PAGE_INVALID", problem: "must not be negative")
        }
        let calendar = core.venue.calendar
        return try await core.read(in: space(request.namespace)) { book, now throws(BrokerRefusal) in
            book.truth(
                of: account, afterOrder: Int(request.afterOrder), afterSequence: Int(request.afterSequence),
                limit: request.limit == 0 ? .max : Int(request.limit)
            ) { $0.unsettled(at: now, calendar) }
        }
    }

    func exportDecisions(
        _ request: BrokerExportDecisionsRequest, responses: ResponseStream<BrokerDecision>, context: ServerContext
    ) async throws {
        let log = try await core.read(in: space(request.namespace)) { book, _ throws(BrokerRefusal) in book.rules.log }
        guard log.overflow == 0 else {
            throw Refusal(
                .failedPrecondition, "DECISION_LOG_INCOMPLETE", "the log holds no more decisions",
                context: ["limit": "\(DecisionLog.limit)", "missing": "\(log.overflow)"])
        }
        for decision in log.sorted { try await responses.write(BrokerDecision(decision)) }
    }

    func importDecisions(
        _ requests: RequestStream<BrokerImportDecisionsRequest>, context: ServerContext
    ) async throws -> BrokerImportDecisionsResponse {
        var name: String?
        var decisions: [RuleDecision] = []
        for try await request in requests {
            name = name ?? request.namespace
            for (index, wire) in request.decisions.enumerated() {
                do {
                    decisions.append(try RuleDecision(wire))
                } catch {
                    throw BrokerRefusal.invalidSetting(error.within("decisions[\(index)]"))
                }
            }
            guard decisions.count <= DecisionLog.limit else {
                throw BrokerRefusal.invalidSetting(
                    InvalidSetting(path: "decisions", problem: "must be at most \(DecisionLog.limit)"))
            }
        }
        try await change(
            "ImportDecisions", BrokerImportDecisionsRequest(namespace: name ?? ""), in: name ?? ""
        ) { _, now throws(BrokerRefusal) in
            [.scripted(decisions, at: now)]
        }
        return BrokerImportDecisionsResponse(count: Int64(decisions.count))
    }
}

extension BrokerDecision {
    init(_ decision: RuleDecision) {
        self.init(
            ruleID: decision.rule, at: BrokerInjectionPoint(decision.point), subject: decision.subject,
            attempt: Int32(clamping: decision.attempt), fired: decision.fired, values: decision.values)
    }
}

extension RuleDecision {
    /// Reads one line of a log.
    init(_ wire: BrokerDecision) throws(InvalidSetting) {
        guard let point = InjectionPoint(rawValue: UInt8(clamping: wire.at.rawValue)) else {
            throw InvalidSetting(path: "at", problem: "is missing")
        }
        self.init(
            rule: try SettingReader.name(wire.ruleID, "rule_id"), point: point,
            subject: try SettingReader.text(wire.subject, upTo: 256, "subject"),
            attempt: Int(try SettingReader.number(wire.attempt, in: 1...Int32.max, "attempt")), fired: wire.fired,
            values: wire.values)
    }
}

extension BrokerInjectionPoint {
    init(_ point: InjectionPoint) { self.init(rawValue: Int32(point.rawValue)) }
}

extension InjectionPoint {
    /// As the contract names it, without the prefix.
    var name: String {
        switch self {
        case .beforeRead: "BEFORE_READ"
        case .afterReadBeforeCommit: "AFTER_READ_BEFORE_COMMIT"
        case .afterCommitBeforeReply: "AFTER_COMMIT_BEFORE_REPLY"
        case .duringReply: "DURING_REPLY"
        case .beforeEvent: "BEFORE_EVENT"
        case .afterEvent: "AFTER_EVENT"
        }
    }
}

extension BrokerBook {
    /// A page of everything there is; nil means all accounts.
    fileprivate func truth(
        of account: AccountID?, afterOrder: Int, afterSequence: Int, limit: Int,
        unsettled: (AccountBook) -> Money
    ) -> BrokerTruth {
        let reportEnd = afterSequence + min(limit, max(0, feed.count - afterSequence))
        let sequences = afterSequence < reportEnd ? Array(afterSequence + 1...reportEnd) : []
        func isWanted(_ other: AccountID) -> Bool { account == nil || account == other }
        return BrokerTruth(
            orders: orders.dropFirst(afterOrder).prefix(limit).filter { isWanted($0.content.key.account) }
                .map { Contracts.BrokerOrder($0) },
            reports: sequences.filter { isWanted(orders[feed[$0 - 1].order].content.key.account) }.map(report),
            positions: positions.filter { isWanted($0.key.account) }
                .sorted { ($0.key.account.text, $0.key.symbol.text) < ($1.key.account.text, $1.key.symbol.text) }
                .map { BrokerPosition(account: $0.account.text, symbol: $0.symbol.text, qty: WireDecimal($1)) },
            placeAttempts: Int64(placeAttempts), lostReplies: Int64(lostReplies), orderCount: Int64(orders.count),
            lastSequence: Int64(feed.count),
            accounts: accounts.used.filter(isWanted).compactMap { account in
                accounts.book(of: account).map { BrokerAccount(account, $0, unsettled: unsettled($0)) }
            })
    }
}
