import Contracts
import Domain
import Logging
import Postgres
import RPCCore
import ServiceKit

/// An answer, and whether it had been given before.
struct Answered<Value: Sendable>: Sendable {
    let value: Value
    let isReplay: Bool
}

/// The shell around the verdicts: reads what they need, writes what they say, in few round trips.
///
/// Every change is one statement: the compare-and-set on the account, the outcome of the key, the posting and the hold
/// are written together or not at all. Call on a loop, under `Deadline.current`. Throws `Refusal`, `PostgresError`,
/// `CancellationError`.
struct Ledger: Sendable {
    let postgres: PostgresClient
    let accounts: AccountGuard
    let configuration: AccountsConfiguration
    let metrics: AccountsMetrics
    let log: Logger

    // MARK: Accounts

    /// Opens an account, or answers again when the same was asked before.
    func open(_ opening: AccountOpening) async throws -> AccountState {
        let key = try opening.key
        // Twice at most: the second look finds who was faster.
        for _ in 1...2 {
            let found = try await read(ReadOperation(key: key, account: opening.account))
            if let stored = found.operation {
                guard let facts = stored.facts else { throw Refusal.sealed(key) }
                guard facts.bodyHash == opening.bodyHash, let account = found.account else {
                    metrics.keyReused.increment()
                    throw Refusal(
                        .alreadyExists, "ACCOUNT_EXISTS", "the account exists with other content",
                        context: ["account_id": opening.account.text])
                }
                metrics.replayed.increment()
                return account
            }
            do {
                guard let version = try await postgres.queryOne(OpenAccount(opening: opening, key: key)) else {
                    continue
                }
                metrics.decided(.open, .applied)
                log.info(
                    "account.opened", metadata: ["account_id": "\(opening.account)", "amount": "\(opening.balance)"])
                return AccountState(
                    id: opening.account, customer: opening.customer,
                    balance: try Balance(balance: opening.balance, held: .zero(opening.balance.currency)),
                    version: version, isOpen: true)
            } catch let error as PostgresError where error.isUniqueViolation() {
                continue
            }
        }
        throw Refusal.contended(opening.account)
    }

    func account(_ id: AccountID) async throws -> AccountState {
        guard let account = try await postgres.queryOne(FindAccount(account: id)) ?? nil else {
            throw Refusal(.accountUnknown)
        }
        return account
    }

    func accounts(of customer: CustomerID) async throws -> [AccountState] {
        let limit = Int64(configuration.accountsPerCustomer)
        return try await postgres.query(ListAccounts(customer: customer, limit: limit)).compactMap { $0 }
    }

    // MARK: Withdrawals and deposits

    /// Moves money once for its key. Refusals are outcomes, stored like the others.
    func move(_ movement: Movement) async throws -> Answered<RecordedOperation> {
        try await accounts.change(movement.account) {
            let found = try await read(ReadOperation(key: movement.key, account: movement.account))
            let verdict = Verdict(found.operation, bodyHash: movement.bodyHash) { () throws(LedgerRefusal) in
                try movement.effect(on: found.account)
            }
            switch verdict {
            case .answer(let operation):
                metrics.replayed.increment()
                return .done(Answered(value: operation, isReplay: true))
            case .refuseOtherBody:
                throw keyReused(movement.key)
            case .refuse(let refusal):
                guard try await store(refusal, of: movement.key, movement.facts) else { return .keyTaken }
                return .done(Answered(value: movement.recorded(.refused(refusal.reason)), isReplay: false))
            case .apply(let shift):
                guard let account = found.account else { preconditionFailure("only accounts are changed") }
                await configuration.beforeChange?(account.id)
                let statement = PostOperation(movement: movement, shift: shift, expectedVersion: account.version)
                guard let moved = try await write(statement) else { return .keyTaken }
                guard moved.first != nil else { return .versionMoved }
                decided(movement.key, movement.facts, .applied)
                return .done(Answered(value: movement.recorded(.applied), isReplay: false))
            }
        }
    }

    // MARK: Keys

    /// The final outcome of `key`: what is stored, or SEALED from now on.
    func resolve(_ key: OperationKey) async throws -> Answered<RecordedOperation> {
        if try await postgres.queryOne(SealOperation(key: key)) != nil {
            metrics.sealed.increment()
            log.notice("operation.sealed", metadata: ["operation_key": "\(key)"])
            return Answered(
                value: RecordedOperation(key: key, outcome: .sealed, facts: nil), isReplay: false)
        }
        // Operation keys are never deleted.
        guard let operation = try await operation(key) else { throw Refusal.inconsistent(key) }
        return Answered(value: operation, isReplay: true)
    }

    /// What is stored under `key`, for people.
    func operation(_ key: OperationKey) async throws -> RecordedOperation? {
        try await postgres.queryOne(FindOperation(key: key)) ?? nil
    }

    // MARK: What all operations share

    /// For statements that always return one row.
    func read<S: Statement>(_ statement: S) async throws -> S.Row {
        guard let row = try await postgres.queryOne(statement) else {
            preconditionFailure("\(S.self) returns one row whatever it finds")
        }
        return row
    }

    /// The rows of a change: none when the version had moved. Nil when its key (or hold) exists already.
    func write<S: Statement>(_ statement: S) async throws -> [S.Row]? {
        do {
            return try await postgres.query(statement)
        } catch let error as PostgresError where error.isUniqueViolation() && error.constraint != "hold_order_key" {
            return nil
        }
    }

    /// Stores a refusal for ever; false when the key has an outcome already.
    func store(
        _ refusal: LedgerRefusal, of key: OperationKey, _ facts: RecordedOperation.Facts
    ) async throws -> Bool {
        let statement = RefuseOperation(key: key, facts: facts, reason: refusal.reason)
        guard try await postgres.queryOne(statement) != nil else { return false }
        decided(key, facts, .refused(refusal.reason))
        return true
    }

    func keyReused(_ key: OperationKey) -> Refusal {
        metrics.keyReused.increment()
        log.warning("operation.key_reused", metadata: ["operation_key": "\(key)"])
        return .keyReused(key)
    }

    func decided(_ key: OperationKey, _ facts: RecordedOperation.Facts, _ outcome: OperationOutcome) {
        metrics.decided(facts.kind, outcome)
        var metadata: Logger.Metadata = [
            "operation_key": "\(key)", "kind": "\(facts.kind.rawValue)", "account_id": "\(facts.account)",
            "amount": "\(facts.amount)",
        ]
        if let reason = outcome.refusal { metadata["reason"] = "\(reason)" }
        log.info(outcome == .applied ? "operation.applied" : "operation.refused", metadata: metadata)
    }
}

extension Movement {
    fileprivate var facts: RecordedOperation.Facts {
        RecordedOperation.Facts(kind: kind, bodyHash: bodyHash, account: account, amount: amount)
    }

    fileprivate func recorded(_ outcome: OperationOutcome) -> RecordedOperation {
        RecordedOperation(key: key, outcome: outcome, facts: facts)
    }
}

extension Ledger {
    /// The books at one instant.
    func trialBalance() async throws -> AccountTrialBalance {
        try await postgres.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            let (rows, internals) = try await transaction.pipeline {
                ($0.query(ReadTrialBalance()), $0.query(ReadInternalBalances()))
            }
            return AccountTrialBalance(try rows.get(), try internals.get())
        }
    }
}
