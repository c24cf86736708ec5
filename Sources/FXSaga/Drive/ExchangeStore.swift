internal import Domain
internal import EventBus
internal import Limits
internal import Postgres
internal import ServiceKit

/// Another driver has taken the exchange over: this one stops without a word more.
struct Fenced: Error {}

/// What belongs into the same transaction as a step: the evidence that led to it.
struct StepEvidence: Hashable, Sendable {
    var reason: ReasonCode?
    /// For people, at most 500 characters.
    var detail = ""
    /// A participant broke its promises.
    var contradicts = false
    var redrive: Redrive?
}

/// The stored side of driving. Every call is one transaction, and one round trip unless a message is sent.
struct ExchangeStore: Sendable {
    let postgres: PostgresClient
    let owner: String
    let lease: Duration
    let timeout: Duration

    /// The exchange with its log; nil when there is none of this id.
    func load(_ id: ExchangeID, in transaction: PostgresTransaction? = nil) async throws -> ExchangeRecord? {
        try await Deadline.within(timeout) {
            let (exchange, log) = try await executor(transaction).pipeline { pipeline in
                (pipeline.queryOne(FindExchange(id: id)), pipeline.query(LogOfExchange(id: id)))
            }
            guard let found = try exchange.get() else { return nil }
            let lines = try log.get()
            guard !lines.isEmpty else { throw StoredValueUnknown(column: "log", value: "empty") }
            return ExchangeRecord(snapshot: found.snapshot, log: lines, checks: found.checks)
        }
    }

    /// Takes over one exchange; nil when it has ended.
    func claim(_ id: ExchangeID, in transaction: PostgresTransaction? = nil) async throws -> Claim? {
        try await Deadline.within(timeout) {
            try await executor(transaction).queryOne(ClaimExchange(id: id, owner: owner, lease: lease))
        }
    }

    /// Takes over what stopped, at most `limit`.
    func claimStopped(limit: Int) async throws -> [Claim] {
        try await Deadline.within(timeout) {
            try await postgres.query(ClaimStopped(owner: owner, lease: lease, limit: Int64(limit)))
        }
    }

    /// Ends the leases of an earlier process of our name.
    func expireOwnLeases() async throws {
        _ = try await Deadline.within(timeout) { try await postgres.execute(ExpireOwnLeases(owner: owner)) }
    }

    /// Lets others, or us, take over at once what our drivers left.
    func giveBack(_ claims: [Claim]) async throws {
        _ = try await Deadline.within(timeout) {
            try await postgres.execute(GiveBackLeases(owner: owner, claims: claims))
        }
    }

    /// Lets go, so that nobody drives until the next look is due.
    func drop(_ claim: Claim) async throws {
        _ = try await Deadline.within(timeout) { try await postgres.execute(DropLease(claim: claim, owner: owner)) }
    }

    /// Makes a step durable: lines, limit, looks, messages and alerts together, or nothing.
    ///
    /// - Parameters:
    ///   - position: the log's last line, which the step follows.
    ///   - transaction: to join; nil makes one.
    /// - Throws: `Fenced` when the epoch has passed.
    func commit(
        _ step: ExchangeStep, of exchange: ExchangeSnapshot, after position: LogPosition, under claim: Claim,
        _ evidence: StepEvidence, in transaction: PostgresTransaction? = nil
    ) async throws {
        do {
            try await Deadline.within(timeout) {
                if let transaction {
                    try await write(step, of: exchange, after: position, under: claim, evidence, in: transaction)
                } else if step.publishesCancel {
                    try await postgres.withTransaction { transaction in
                        try await write(step, of: exchange, after: position, under: claim, evidence, in: transaction)
                    }
                } else {
                    try await write(step, of: exchange, after: position, under: claim, evidence, in: postgres)
                }
            }
        } catch let error as PostgresError where error.isUniqueViolation() {
            throw Fenced()  // The line is there already: another driver wrote it.
        }
    }

    /// Writes a step in one round trip, and in a second one its message, which has no epoch to guard it.
    private func write(
        _ step: ExchangeStep, of exchange: ExchangeSnapshot, after position: LogPosition, under claim: Claim,
        _ evidence: StepEvidence, in executor: any StatementExecutor
    ) async throws {
        let fence = try await executor.pipeline { pipeline in
            let fence = addFence(step, after: position, under: claim, evidence, to: &pipeline)
            addEffects(step, after: position, under: claim, evidence, to: &pipeline)
            return fence
        }
        guard try fence.get() == max(1, step.entered.count) else { throw Fenced() }
        if step.publishesCancel {
            let event = EventEnvelope(cancelling: exchange, epoch: claim.epoch)
            try await executor.execute(AppendToOutbox([event]))
        }
    }

    /// Sets an exchange aside that cannot go on, and tells a person.
    func setAside(
        _ claim: Claim, at position: LogPosition, for delay: Duration, checks: Int, _ detail: String
    ) async throws {
        try await Deadline.within(timeout) {
            _ = try await postgres.pipeline { pipeline in
                pipeline.execute(DropLease(claim: claim, owner: owner))
                pipeline.execute(PutDue(claim: claim, delay: delay, checks: checks, detail: detail))
                pipeline.execute(RaiseAlert(claim: claim, kind: .contradiction, seq: position.seq, detail: detail))
            }
        }
    }

    private func executor(_ transaction: PostgresTransaction?) -> any StatementExecutor { transaction ?? postgres }

    /// The statement that locks the lease and refuses an old epoch; it comes first.
    private func addFence(
        _ step: ExchangeStep, after position: LogPosition, under claim: Claim, _ evidence: StepEvidence,
        to pipeline: inout Pipeline
    ) -> Pending<Int> {
        guard !step.entered.isEmpty else { return pipeline.execute(DropLease(claim: claim, owner: owner)) }
        return pipeline.execute(
            AppendStates(
                claim: claim, owner: owner, after: position, states: step.entered, reason: evidence.reason,
                detail: evidence.detail, lease: step.lease, renewal: lease))
    }

    private func addEffects(
        _ step: ExchangeStep, after position: LogPosition, under claim: Claim, _ evidence: StepEvidence,
        to pipeline: inout Pipeline
    ) {
        let detail = evidence.detail
        let seq = position.seq + Int32(step.entered.count)
        if let limit = step.limit { pipeline.execute(SettleLimit(claim: claim, outcome: limit)) }
        if let recheck = step.recheck {
            pipeline.execute(PutDue(claim: claim, delay: recheck.after, checks: recheck.checks, detail: detail))
        } else if !step.entered.isEmpty {
            pipeline.execute(ClearDue(claim: claim))
        }
        if step.alertsParked { pipeline.execute(RaiseAlert(claim: claim, kind: .parked, seq: seq, detail: detail)) }
        if evidence.contradicts {
            pipeline.execute(RaiseAlert(claim: claim, kind: .contradiction, seq: seq, detail: detail))
        }
        if let redrive = evidence.redrive { pipeline.execute(InsertRedrive(claim: claim, redrive: redrive)) }
    }
}
