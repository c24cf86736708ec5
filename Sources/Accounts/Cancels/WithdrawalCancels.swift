import Contracts
import Domain
import EventBus
import EventLoop
import Limits
import Logging
import Postgres
import ServiceKit

/// Gives withdrawals back when the exchange asks for it: inbox row, effect and result in one transaction.
///
/// Whatever is asked has an end: an applied withdrawal is reversed (to suspense when its account cannot take it), one
/// that never came is sealed, everything else is answered as it stands, and nonsense is kept as a dead letter. Only the
/// database's weather makes the event wait.
struct WithdrawalCancels: Sendable {
    /// How a cancel ended.
    enum End: Sendable, Hashable {
        /// This event had taken effect before.
        case duplicate
        /// This event changed the withdrawal to that outcome.
        case settled(OperationOutcome)
        /// The withdrawal had that outcome already.
        case answered(OperationOutcome)
        /// No withdrawal that could be given back under this name.
        case rejected
    }

    let ledger: Ledger
    let group: EventLoopGroup
    /// Says that the outbox has rows.
    let wakeRelay: @Sendable () -> Void

    private static let nothingToGiveBack = "the key belongs to no withdrawal of this account and amount"
    private static let pauses = Backoff(initial: .milliseconds(100), maximum: .seconds(5))

    private var log: Logger { ledger.log }

    /// Takes one event, trying again for as long as the database is away: a bus that gives up on an event after some
    /// attempts must not give up on money. Throws what is not the weather, and `CancellationError`.
    func consumeThroughAnyWeather(_ envelope: EventEnvelope) async throws {
        var attempts = 0
        while true {
            do {
                return try await consume(envelope)
            } catch let error where isWeather(error) && !Task.isCancelled {
                attempts += 1
                if attempts == 1 {
                    log.warning("cancel.delayed", metadata: ["event_id": "\(envelope.id)", "error": "\(error)"])
                }
                try await Task.sleep(for: Self.pauses.delay(afterAttempt: attempts, random: ledger.accounts.random()))
            }
        }
    }

    private func isWeather(_ error: any Error) -> Bool {
        switch error {
        case let error as PostgresError: error.mayRetry
        case let refusal as Refusal: refusal.retry == .sameIDAfter
        default: false
        }
    }

    /// Takes one event. When it throws, the event has had no effect.
    func consume(_ envelope: EventEnvelope) async throws {
        let trace = envelope.headers["traceparent"].flatMap { TraceContext(traceparent: $0) }
        try await TraceContext.$current.withValue(trace ?? TraceContext.current) {
            let cancel: WithdrawalCancel
            do {
                cancel = try WithdrawalCancel(envelope)
            } catch {
                let reason = "unreadable: \(error)"
                try await ledger.postgres.execute(letter(envelope, reason))
                reject(reason, ["event_id": "\(envelope.id)"])
                return
            }
            // Both ledgers hear of every cancel; it belongs to the one that keeps its currency.
            guard ledger.configuration.currencies.contains(cancel.amount.currency) else { return }
            let end = try await group.next.perform {
                try await Deadline.within(ledger.configuration.operationTimeout) { try await take(cancel, envelope) }
            }
            note(end, of: cancel)
        }
    }

    private func take(_ cancel: WithdrawalCancel, _ envelope: EventEnvelope) async throws -> End {
        // The row's lock is enough to be right; the account's other locks spare those who work on it a lost race.
        try await ledger.accounts.change(cancel.account) {
            let end = try await ledger.postgres.withTransaction(attempts: 3) { transaction in
                let inbox = RecordInInbox(consumer: WithdrawalCancel.topic, eventID: envelope.id)
                guard try await transaction.execute(inbox) == 1 else { return End.duplicate }
                let end = try await settle(cancel, transaction)
                switch end {
                case .settled(let outcome), .answered(let outcome):
                    let result = cancel.result(outcome, traceparent: TraceContext.current?.traceparent)
                    try await transaction.execute(AppendToOutbox([result]))
                case .rejected:
                    try await transaction.execute(letter(envelope, Self.nothingToGiveBack))
                case .duplicate:
                    break
                }
                return end
            }
            return .done(end)
        }
    }

    private func settle(_ cancel: WithdrawalCancel, _ transaction: PostgresTransaction) async throws -> End {
        // The key may get its outcome between two looks, and that outcome may change once.
        for _ in 1...3 {
            let recorded = try await transaction.queryOne(FindOperation(key: cancel.key)) ?? nil
            switch OperationDecision(.cancel, stored: recorded?.stored) {
            case .answer(let outcome):
                return .answered(outcome)
            case .seal:
                if try await transaction.queryOne(SealOperation(key: cancel.key)) != nil { return .settled(.sealed) }
            case .reverse:
                guard let facts = recorded?.facts, facts.kind == .withdraw, facts.account == cancel.account,
                    facts.amount == cancel.amount
                else { return .rejected }
                if try await reverse(cancel, transaction) { return .settled(.reversed) }
            case .attempt, .refuseOtherBody:
                preconditionFailure("a cancel seals, reverses or finds an answer")
            }
        }
        throw Refusal.inconsistent(cancel.key)
    }

    /// False when the operation is not APPLIED any more.
    private func reverse(_ cancel: WithdrawalCancel, _ transaction: PostgresTransaction) async throws -> Bool {
        let purpose = "exchange \(cancel.exchange) given back"
        let account = try await transaction.queryOne(LockAccount(account: cancel.account)) ?? nil
        if canTake(cancel.amount, account) {
            return try await transaction.queryOne(ReverseWithdrawal(key: cancel.key, purpose: purpose)) != nil
        }
        let suspended = ReverseWithdrawalToSuspense(key: cancel.key, purpose: purpose)
        guard try await transaction.queryOne(suspended) != nil else { return false }
        ledger.metrics.suspended.increment()
        log.error("withdrawal.suspended", metadata: facts(cancel))
        return true
    }

    private func canTake(_ amount: Money, _ account: AccountState?) -> Bool {
        guard let account, account.isOpen else { return false }
        var balance = account.balance
        do {
            try balance.deposit(amount)
            return true
        } catch {
            return false  // Too large for the balance: suspense takes it.
        }
    }

    private func note(_ end: End, of cancel: WithdrawalCancel) {
        switch end {
        case .duplicate:
            log.info("cancel.duplicate", metadata: facts(cancel))
        case .settled(let outcome):
            (outcome == .reversed ? ledger.metrics.reversed : ledger.metrics.sealed).increment()
            wakeRelay()
            log.info("cancel.settled", metadata: facts(cancel).merging(["outcome": "\(outcome.name)"]) { $1 })
        case .answered(let outcome):
            wakeRelay()
            log.info("cancel.answered", metadata: facts(cancel).merging(["outcome": "\(outcome.name)"]) { $1 })
        case .rejected:
            reject(Self.nothingToGiveBack, facts(cancel))
        }
    }

    private func letter(_ envelope: EventEnvelope, _ reason: String) -> InsertDeadLetter {
        InsertDeadLetter(event: envelope, reason: String(reason.prefix(500)))
    }

    private func reject(_ reason: String, _ metadata: Logger.Metadata) {
        ledger.metrics.cancelRejected.increment()
        log.error("cancel.rejected", metadata: metadata.merging(["reason": "\(reason)"]) { $1 })
    }

    private func facts(_ cancel: WithdrawalCancel) -> Logger.Metadata {
        [
            "exchange_id": "\(cancel.exchange)", "operation_key": "\(cancel.key)", "account_id": "\(cancel.account)",
            "amount": "\(cancel.amount)",
        ]
    }
}
