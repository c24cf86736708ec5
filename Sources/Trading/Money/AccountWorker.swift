import Contracts
import Domain
import Limits
import Logging
import Postgres
import ServiceKit

/// Work toward the account service: holds that are not settled yet, captures, releases, and money that goes back and
/// forth after busts. Each piece has a key, so that doing it again changes nothing.
struct AccountWorker: Sendable {
    let ledger: Ledger
    let money: MoneyClient
    let driver: ReceptionDriver

    func perform(_ claimed: ClaimedWork) async throws {
        switch claimed.item.kind {
        case .receive: try await receive(claimed)
        case .capture, .credit, .debit: try await move(claimed)
        case .release: try await release(claimed)
        case .submit, .probe, .cancel, .overdue:
            preconditionFailure("\(claimed.item.kind) is work of the broker lane")
        }
    }

    private func receive(_ claimed: ClaimedWork) async throws {
        let (_, step) = try await driver.drive(claimed.item.order, claim: claimed)
        switch step {
        case .done: try await ledger.postgres.execute(FinishWork(key: claimed.item.key, claim: claimed.claim))
        case .open: try await postpone(claimed)
        }
    }

    private func move(_ claimed: ClaimedWork) async throws {
        let item = claimed.item
        guard let amount = item.amount, let record = try await ledger.order(item.order) else {
            throw UnreadableRow(what: "work \(item.key)")
        }
        let account = record.terms.account
        let purpose = "order \(item.order)"
        let verdict: MoneyClient.WorkVerdict
        let kind: String
        switch item.kind {
        case .capture:
            kind = "HOLD_CAPTURED"
            verdict = await money.capture(amount, of: item.order.holdID, key: item.key)
        case .credit:
            kind = "MONEY_CREDITED"
            verdict = await money.deposit(amount, on: account, key: item.key, purpose: purpose)
        default:
            kind = "MONEY_DEBITED"
            verdict = await money.withdraw(amount, from: account, key: item.key, purpose: purpose)
        }
        try await settle(claimed, verdict, kind)
    }

    private func release(_ claimed: ClaimedWork) async throws {
        let item = claimed.item
        var verdict = await money.release(item.order.holdID, key: item.key)
        if case .refused = verdict, let record = try await ledger.order(item.order), record.order.hold == nil {
            // The order ended before its hold was known to exist: seal it, so that a late request holds nothing. Should
            // it turn out to exist, the next turn releases it under a key that has no outcome yet.
            verdict = await money.seal(item.order.holdID)
            if case .retry = verdict { verdict = await money.release(item.order.holdID, key: "\(item.key)/late") }
        }
        try await settle(claimed, verdict, "HOLD_RELEASED")
    }

    private func settle(_ claimed: ClaimedWork, _ verdict: MoneyClient.WorkVerdict, _ kind: String) async throws {
        let id = claimed.item.order
        switch verdict {
        case .done(let remaining, let detail):
            _ = try await ledger.finish(claimed) { change in
                change.update(id) { record in
                    if let remaining { record.holdRemaining = remaining }
                    if kind == "HOLD_RELEASED" { record.isHoldDoubtful = false }
                }
                change.note(kind, detail, of: id)
            }
        case .refused(let reason, let text):
            // Nothing automatic can settle this: the item stays, is not tried again, and blocks what comes after it.
            let isParked = try await ledger.proceed(claimed) { change in
                change.alert(
                    "\(claimed.item.kind.rawValue) refused: \(reason) \(text), key \(claimed.item.key)", of: id)
                return true
            }
            guard isParked != nil else { return }
            try await ledger.postgres.execute(
                ParkWork(key: claimed.item.key, claim: claimed.claim, reason: reason.rawValue))
        case .retry(let reason):
            ledger.environment.log.warning(
                "money.postponed",
                metadata: ["key": "\(claimed.item.key)", "reason": "\(reason)", "failures": "\(claimed.failures + 1)"])
            try await postpone(claimed)
        }
    }

    private func postpone(_ claimed: ClaimedWork) async throws {
        var hash = StableHash()
        hash.combine(claimed.item.key)
        hash.combine(Int64(claimed.failures))
        let delay = ledger.configuration.accountBackoff.delay(
            afterAttempt: claimed.failures + 1, random: hash.bits)
        try await ledger.postgres.execute(
            PostponeWork(
                key: claimed.item.key, claim: claimed.claim, dueAt: ledger.environment.now() + delay, isFailure: true))
    }
}
