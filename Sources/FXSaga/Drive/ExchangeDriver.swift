internal import Domain
internal import Logging
internal import Postgres
internal import RPCCore
internal import ServiceKit

/// The one way in which an exchange moves, whoever starts it: the request, a recovery after a crash, a due look, or a
/// person. It holds a lease, never more than one call is in flight, and every intent is durable before it is sent.
struct ExchangeDriver: Sendable {
    /// One exchange to be driven, under a lease that has been claimed.
    struct Drive: Hashable, Sendable {
        let claim: Claim
        /// Set when a person gives a parked exchange back.
        var redrive: Redrive?
    }

    let store: ExchangeStore
    let participants: Participants
    let rules: ExchangeRules
    let environment: ServiceEnvironment
    let metrics: FXSagaMetrics
    let waiters: ExchangeWaiters
    /// Told which leases are given back, since the store has stopped their drivers.
    let stopped: StoppedDrives
    /// Told when a message waits in the outbox.
    let messageWaits: @Sendable () -> Void

    /// Drives until the exchange has ended, has to wait, or is somebody else's.
    ///
    /// Reports to log and metrics, never to the caller: what is not finished is found again through its lease. When the
    /// store stops it, and may soon do better, it has its lease given back; otherwise, and when the task is cancelled,
    /// which stops it at the next boundary, it leaves the lease to expire.
    func run(_ drive: Drive) async {
        let id = drive.claim.id
        defer { waiters.wake(id) }
        do {
            guard let record = try await store.load(id) else {
                throw StoredValueUnknown(column: "lease", value: id.text)
            }
            let trace = TraceContext(traceparent: record.snapshot.traceparent)?.child(random: environment.random())
            try await TraceContext.$current.withValue(trace ?? TraceContext.current) {
                try await advance(record, drive)
            }
        } catch is Fenced {
            metrics.fenced.increment()
            log(.info, "drive.fenced", drive.claim, [:])
        } catch is CancellationError {
            log(.info, "drive.cancelled", drive.claim, [:])
        } catch {
            metrics.stopped.increment()
            log(.warning, "drive.stopped", drive.claim, ["error": "\(error)"])
            if let error = error as? PostgresError, error.mayRetry { stopped.add(drive.claim) }
        }
    }

    private func advance(_ record: ExchangeRecord, _ drive: Drive) async throws {
        let exchange = record.snapshot
        var position = record.position
        do {
            var saga = try record.saga()
            var (event, evidence) = await beginning(record, drive)
            while true {
                try Task.checkCancellation()
                let step = try ExchangeStep.next(&saga, event, rules: rules)
                if !step.entered.isEmpty || step.call == nil {
                    try await store.commit(step, of: exchange, after: position, under: drive.claim, evidence)
                    position.advance(through: step.entered)
                    report(step, of: exchange, drive.claim, evidence)
                }
                guard let call = step.call else { return }
                try Task.checkCancellation()
                let answer = await participants.answer(call, for: exchange)
                // An answer to a cancelled call is no evidence; what was sent is resolved by whoever comes next.
                try Task.checkCancellation()
                metrics.count(call, answer)
                (event, evidence) = call.outcome(answer)
            }
        } catch let error as IllegalExchangeEvent {
            try await setAside(record, drive.claim, position, "\(error)")
        } catch let error as IllegalExchangeLog {
            try await setAside(record, drive.claim, position, "\(error)")
        }
    }

    /// The first event after the lease was claimed.
    private func beginning(_ record: ExchangeRecord, _ drive: Drive) async -> (ExchangeEvent, StepEvidence) {
        if let redrive = drive.redrive {
            let detail = "re-driven by \(redrive.operatorName): \(redrive.reason)"
            return (.redriven, StepEvidence(detail: String(detail.prefix(500)), redrive: redrive))
        }
        // The message that says so may be lost for good; the stored outcome is as good a proof.
        if record.state == .cancelRequested, await participants.withdrawalIsReversed(record.snapshot) {
            return (.withdrawalCancelled(.reversed), StepEvidence(detail: "withdrawal REVERSED, found by asking"))
        }
        return (record.state.eventOnTakeOver, StepEvidence(detail: "driven by \(store.owner)"))
    }

    private func setAside(
        _ record: ExchangeRecord, _ claim: Claim, _ position: LogPosition, _ detail: String
    ) async throws {
        metrics.contradictions.increment()
        log(.critical, "exchange.contradicted", claim, ["state": "\(position.state.rawValue)", "detail": "\(detail)"])
        try await store.setAside(
            claim, at: position, for: rules.recheck.maximum, checks: record.checks, String(detail.prefix(500)))
    }

    private func report(_ step: ExchangeStep, of exchange: ExchangeSnapshot, _ claim: Claim, _ evidence: StepEvidence) {
        for state in step.entered {
            metrics.entered(state)
            log(
                state.logLevel, Logger.Message(stringLiteral: state.eventName), claim,
                [
                    "customer_id": "\(exchange.customer)", "sell": "\(exchange.price.sell)",
                    "buy": "\(exchange.price.buy)", "rate": "\(exchange.price.published.rate.text)",
                    "detail": "\(evidence.detail)",
                ])
        }
        if let recheck = step.recheck {
            log(
                .notice, "recheck.scheduled", claim,
                ["after": "\(recheck.after)", "checks": "\(recheck.checks)", "detail": "\(evidence.detail)"])
        }
        if evidence.contradicts {
            metrics.contradictions.increment()
            log(.error, "participant.contradicted", claim, ["detail": "\(evidence.detail)"])
        }
        if step.publishesCancel { messageWaits() }
    }

    private func log(_ level: Logger.Level, _ event: Logger.Message, _ claim: Claim, _ facts: Logger.Metadata) {
        var facts = facts
        facts["exchange_id"] = "\(claim.id)"
        facts["epoch"] = "\(claim.epoch)"
        environment.log.log(level: level, event, metadata: facts)
    }
}

extension ExchangeStep.Call {
    /// The event that the answer to this call is.
    fileprivate func outcome(_ answer: LegAnswer) -> (ExchangeEvent, StepEvidence) {
        var reason: ReasonCode?
        switch answer.result {
        case .refused(let code): reason = ReasonCode(rawValue: String(code.rawValue.prefix(64)))
        case .sealed: reason = .sealed
        case .applied, .unknown: break
        }
        let evidence = StepEvidence(
            reason: reason, detail: String("\(name): \(answer.detail)".prefix(500)), contradicts: answer.contradicts)
        switch self {
        case .withdraw, .resolveWithdrawal: return (.withdrawal(answer.result), evidence)
        case .deposit, .resolveDeposit: return (.deposit(answer.result), evidence)
        }
    }

    /// For people and metrics.
    var name: String {
        switch self {
        case .withdraw: "withdraw"
        case .resolveWithdrawal: "resolve withdrawal"
        case .deposit: "deposit"
        case .resolveDeposit: "resolve deposit"
        }
    }
}

extension ExchangeState {
    /// What the log calls entering this state.
    var eventName: String {
        switch self {
        case .requested: "exchange.accepted"
        case .withdrawRequested: "withdrawal.requested"
        case .withdrawSucceeded: "withdrawal.applied"
        case .withdrawRefused: "withdrawal.refused"
        case .withdrawUnknown: "withdrawal.lost"
        case .depositRequested: "deposit.requested"
        case .depositSucceeded: "deposit.applied"
        case .depositRefused: "deposit.refused"
        case .depositUnknown: "deposit.lost"
        case .cancelRequested: "withdrawal.cancel_requested"
        case .completed: "exchange.completed"
        case .failed: "exchange.failed"
        case .cancelled: "exchange.cancelled"
        case .parked: "exchange.parked"
        }
    }

    fileprivate var logLevel: Logger.Level {
        switch self {
        case .requested, .withdrawRequested, .withdrawSucceeded, .withdrawRefused, .depositRequested, .depositSucceeded,
            .depositRefused, .completed, .failed, .cancelled:
            .info
        case .withdrawUnknown, .depositUnknown, .cancelRequested: .warning
        case .parked: .critical
        }
    }
}
