import Contracts
import Domain
import Logging
import Postgres
import RPCCore
import ServiceKit

/// What captures and releases have in common.
private protocol HoldRequest: Sendable {
    var hold: HoldID { get }
    var key: OperationKey { get }
    var bodyHash: String { get }
    static var kind: OperationKind { get }
    static var purpose: String { get }
    func effect(on held: HeldAccount?) throws(LedgerRefusal) -> Settlement
}

extension HoldCapture: HoldRequest {
    static var kind: OperationKind { .capture }
    static var purpose: String { "execution" }
}

extension HoldRelease: HoldRequest {
    static var kind: OperationKind { .release }
    static var purpose: String { "release" }
}

extension Ledger {
    /// Reserves money once for the hold's id. A refusal is thrown and not stored.
    func place(_ placement: HoldPlacement) async throws -> Answered<HeldAccount> {
        let key = try placement.key
        return try await accounts.change(placement.account) {
            let found = try await read(ReadHold(key: key, hold: placement.hold, account: placement.account))
            let verdict = Verdict(found.operation, bodyHash: placement.bodyHash) { () throws(LedgerRefusal) in
                try placement.effect(on: found.account)
            }
            switch verdict {
            case .answer(let operation):
                return .done(try replay(operation, found.held))
            case .refuseOtherBody:
                throw keyReused(key)
            case .refuse(let refusal):
                note(placement, .refused(refusal.reason))
                throw Refusal(refusal)
            case .apply(let hold):
                guard var account = found.account else { preconditionFailure("only accounts are changed") }
                await configuration.beforeChange?(account.id)
                let statement = PlaceHold(placement: placement, expectedVersion: account.version)
                guard let rows = try await writeHold(statement) else { return .keyTaken }
                guard let after = rows.first else { return .versionMoved }
                try account.take(after)
                note(placement, .applied)
                return .done(Answered(value: HeldAccount(hold: hold, account: account), isReplay: false))
            }
        }
    }

    /// Takes what an execution cost, once for its key. A refusal for lack of money is stored, then thrown.
    func capture(_ capture: HoldCapture) async throws -> Answered<HeldAccount> {
        try await settle(capture) { refusal, hold in
            let facts = RecordedOperation.Facts(
                kind: .capture, bodyHash: capture.bodyHash, account: hold.account, amount: capture.amount)
            return try await store(refusal, of: capture.key, facts)
        }
    }

    /// Gives back what is left of a hold, once.
    func release(_ release: HoldRelease) async throws -> Answered<HeldAccount> {
        do {
            return try await settle(release) { _, _ in true }
        } catch let refusal as Refusal where refusal.reason == ReasonCode.holdUnknown.rawValue {
            // A PlaceHold that is still on its way must not reserve money that nobody would ever release.
            guard case .sealed = try await resolve(OperationKey(release.hold.text)).value.outcome else {
                return try await settle(release) { _, _ in true }  // It has arrived meanwhile.
            }
            throw refusal
        }
    }

    func hold(_ id: HoldID) async throws -> PlacedHold {
        guard let hold = try await postgres.queryOne(FindHold(hold: id)) ?? nil else {
            throw Refusal(.holdUnknown)
        }
        return hold
    }

    // MARK: Settling

    /// - Parameter storing: makes a refusal sticky if the operation's rule is so; false when its key has an outcome.
    private func settle<Request: HoldRequest>(
        _ request: Request, storing: (LedgerRefusal, PlacedHold) async throws -> Bool
    ) async throws -> Answered<HeldAccount> {
        // The hold names the account to lock. A key with an outcome needs no lock and is answered from this look.
        let statement = ReadHold(key: request.key, hold: request.hold)
        let first = try await read(statement)
        guard let hold = first.hold, first.operation == nil else {
            guard let operation = first.operation else { throw Refusal(.holdUnknown) }
            guard operation.facts?.bodyHash ?? request.bodyHash == request.bodyHash else {
                throw keyReused(request.key)
            }
            return try replay(operation, first.held)
        }
        return try await accounts.change(hold.account) {
            let found = try await read(statement)
            let verdict = Verdict(found.operation, bodyHash: request.bodyHash) { () throws(LedgerRefusal) in
                try request.effect(on: found.held)
            }
            switch verdict {
            case .answer(let operation):
                return .done(try replay(operation, found.held))
            case .refuseOtherBody:
                throw keyReused(request.key)
            case .refuse(let refusal):
                guard try await storing(refusal, hold) else { return .keyTaken }
                throw Refusal(refusal)
            case .apply(let settlement):
                guard let held = found.held else { preconditionFailure("only holds of accounts are settled") }
                await configuration.beforeChange?(held.account.id)
                let change = SettleHold(
                    held: held, settlement: settlement, key: request.key, kind: Request.kind,
                    bodyHash: request.bodyHash, purpose: Request.purpose)
                guard let rows = try await write(change) else { return .keyTaken }
                guard let row = rows.first else { return .versionMoved }
                decided(request.key, request.facts(settlement, hold), .applied)
                return .done(Answered(value: try held.taking(row), isReplay: false))
            }
        }
    }

    /// The answer to a key that came again: the hold and its account as they are now.
    private func replay(_ operation: RecordedOperation, _ held: HeldAccount?) throws -> Answered<HeldAccount> {
        metrics.replayed.increment()
        switch operation.outcome {
        case .sealed: throw Refusal.sealed(operation.key)
        case .refused(let reason): throw Refusal(LedgerRefusal(reason: reason))
        case .applied, .reversed:
            guard let held else { throw Refusal.inconsistent(operation.key) }
            return Answered(value: held, isReplay: true)
        }
    }

    private func writeHold(_ statement: PlaceHold) async throws -> [BalanceAfter]? {
        do {
            return try await write(statement)
        } catch let error as PostgresError where error.isUniqueViolation(of: "hold_order_key") {
            throw Refusal.orderHasHold(statement.placement.order)
        }
    }

    private func note(_ placement: HoldPlacement, _ outcome: OperationOutcome) {
        metrics.decided(.hold, outcome)
        var metadata: Logger.Metadata = [
            "hold_id": "\(placement.hold)", "order_id": "\(placement.order)", "account_id": "\(placement.account)",
            "amount": "\(placement.amount)",
        ]
        if let reason = outcome.refusal { metadata["reason"] = "\(reason)" }
        log.info(outcome == .applied ? "hold.placed" : "hold.refused", metadata: metadata)
    }
}

extension HoldRequest {
    fileprivate func facts(_ settlement: Settlement, _ hold: PlacedHold) -> RecordedOperation.Facts {
        let amount = settlement.captured + settlement.excess + settlement.released
        return RecordedOperation.Facts(
            kind: Self.kind, bodyHash: bodyHash, account: hold.account,
            amount: Money(minorUnits: amount, currency: hold.currency))
    }
}

extension HeldAccount {
    fileprivate func taking(_ row: SettleHold.Row) throws -> HeldAccount {
        var copy = self
        copy.hold = row.hold
        try copy.account.take(row.account)
        return copy
    }
}
