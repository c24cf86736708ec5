import Contracts
import Domain
import Limits
import RPCCore
import ServiceKit

/// Drives a received purchase to PENDING or DENIED: hold, exchange of the shortfall if need be, hold again.
///
/// Repeatable from any point: the order's id is the key of the hold, the exchange's id and amount are written before
/// it is first asked for, and the end is one transaction that checks that nobody was faster.
final class ReceptionDriver: Sendable {
    enum Step: Hashable, Sendable {
        /// The order is PENDING, DENIED or further.
        case done
        /// The outcome of the hold or of the exchange is open; the account lane goes on.
        case open(reason: String)
    }

    /// More turns than any honest history needs.
    private static let maximumTurns = 6

    private let ledger: Ledger
    private let money: MoneyClient

    init(ledger: Ledger, money: MoneyClient) {
        self.ledger = ledger
        self.money = money
    }

    /// - Parameters:
    ///   - first: the order as it was just written, if the caller knows it.
    ///   - claim: the work item under which this is done; nil in the call of the customer.
    func drive(
        _ id: OrderID, from first: LedgerOrder? = nil, claim: ClaimedWork?
    ) async throws -> (LedgerOrder, Step) {
        var known = first
        for _ in 0..<Self.maximumTurns {
            let record: LedgerOrder
            if let written = known { record = written } else { record = try await read(id) }
            known = nil
            guard record.order.lifecycle == .received, let amount = record.order.holdAmount else {
                return (record, .done)
            }
            // A turn of the lane follows one whose end nobody saw: a hold may have been asked for.
            switch await money.placeHold(for: record, amount) {
            case .held(let hold):
                return (try await queue(id, amount, hold), .done)
            case .refused(let reason, let text) where reason == .insufficientFunds:
                if let end = try await fund(record, amount, text, claim) { return end }
            case .refused(let reason, let text):
                return (try await deny(id, reason, text, isDoubtful: claim != nil), .done)
            case .unknown(let reason):
                return try await leaveOpen(id, "HOLD_UNKNOWN", reason, claim)
            }
        }
        return try await leaveOpen(id, "FUNDING_UNSETTLED", "BALANCE_KEEPS_CHANGING", claim)
    }

    private func read(_ id: OrderID) async throws -> LedgerOrder {
        guard let record = try await ledger.order(id) else { throw UnreadableRow(what: "order \(id) is gone") }
        return record
    }

    /// One transaction: the hold is recorded, the order is PENDING, its dispatch is planned.
    private func queue(
        _ id: OrderID, _ amount: Money, _ hold: MoneyClient.Held
    ) async throws -> LedgerOrder {
        try await ledger.change([id]) { change in
            guard change[id].order.lifecycle == .received else {
                // Cancelled or finished meanwhile. Whoever ended it without a hold has planned the release.
                return change[id]
            }
            change.remove(work: WorkItem.receiveKey(id))
            guard hold.customer == change[id].terms.customer.text else {
                change.update(id) { $0.reasonText = "the account belongs to someone else" }
                try change.apply(.denied("ACCOUNT_NOT_OWNED"), to: id, detail: "hold of \(amount) is given back")
                change.schedule(.release, id.releaseKey, of: id, at: change.at)
                return change[id]
            }
            change.update(id) { $0.holdRemaining = amount }
            try change.apply(
                .held(id.holdID), to: id, detail: "\(amount) of \(change[id].terms.account), hold \(id.holdID)")
            try change.apply(.queued(at: change.at), to: id, detail: "to \(change[id].broker)")
            return change[id]
        }
    }

    /// Buys what is missing, if the order may; again, under another id, when an exchange was broken off. Nil: try the
    /// hold again.
    private func fund(
        _ record: LedgerOrder, _ amount: Money, _ text: String, _ claim: ClaimedWork?
    ) async throws -> (LedgerOrder, Step)? {
        let id = record.id
        guard let source = record.fundingAccount else {
            return (try await deny(id, .insufficientFunds, text, isDoubtful: claim != nil), .done)
        }
        var record = record
        while record.order.lifecycle == .received {
            if let exchange = record.exchange {
                switch try await settle(exchange, record, source, claim) {
                case .funded: return nil
                case .ended(let end): return end
                case .interrupted: break
                }
            }
            guard let next = id.fundingExchangeID(after: record.exchange?.id) else {
                let text =
                    "\(OrderID.maximumExchanges) exchanges for this order were broken off before they moved any money; "
                    + "nothing was done, and the order may be placed again under a new client order id"
                return (try await deny(id, .exchangeInterrupted, text, isDoubtful: claim != nil), .done)
            }
            let balance: Money
            switch await money.available(on: record.terms.account, record.terms.currency) {
            case .known(let told): balance = told
            case .unknown(let reason): return try await leaveOpen(id, "BALANCE_UNKNOWN", reason, claim)
            }
            guard let shortfall = try? amount - balance, shortfall.isPositive else { return nil }
            let planned = FundingExchange(id: next, amount: shortfall)
            let detail =
                (record.exchange.map { "exchange \($0.id) was broken off and moved nothing; " } ?? "")
                + "exchange \(next) buys \(shortfall) = hold \(amount) less available \(balance); exactly this arrives, "
                + "so no rate buffer is needed"
            record = try await plan(planned, insteadOf: record.exchange, detail, for: id)
        }
        return nil
    }

    /// Writes down which exchange is asked for next. Another driver may have been faster: then what it wrote stands.
    private func plan(
        _ planned: FundingExchange, insteadOf last: FundingExchange?, _ detail: String, for id: OrderID
    ) async throws -> LedgerOrder {
        try await ledger.change([id]) { change in
            guard change[id].order.lifecycle == .received, change[id].exchange == last else { return change[id] }
            change.update(id) { $0.exchange = planned }
            change.note("FUNDING_REQUESTED", detail, of: id)
            return change[id]
        }
    }

    private enum Funding {
        case funded
        case interrupted
        case ended((LedgerOrder, Step))
    }

    /// Asks for the exchange, or asks how it ended.
    private func settle(
        _ exchange: FundingExchange, _ record: LedgerOrder, _ source: AccountID, _ claim: ClaimedWork?
    ) async throws -> Funding {
        let id = record.id
        if record.isFunded {
            // The money came and is gone again: it went elsewhere, and stays what it is, dollars on the account.
            let text = "the exchanged money was used elsewhere before it could be held"
            return .ended((try await deny(id, .insufficientFunds, text, isDoubtful: claim != nil), .done))
        }
        switch await money.exchange(exchange, for: record, from: source, ledger.configuration.fundingCurrency) {
        case .completed(let detail):
            try await ledger.change([id]) { change in
                guard !change[id].isFunded, change[id].order.lifecycle == .received else { return }
                change.update(id) { $0.isFunded = true }
                change.note("FUNDED", detail, of: id)
            }
            return .funded
        case .interrupted: return .interrupted
        case .failed(let reason, let text):
            return .ended((try await deny(id, reason, text, isDoubtful: claim != nil), .done))
        case .open(let reason):
            return .ended(try await leaveOpen(id, "FUNDING_OPEN", reason, claim))
        }
    }

    private func deny(
        _ id: OrderID, _ reason: ReasonCode, _ text: String, isDoubtful: Bool
    ) async throws -> LedgerOrder {
        try await ledger.change([id]) { change in
            guard change[id].order.lifecycle == .received else { return change[id] }
            change.remove(work: WorkItem.receiveKey(id))
            let mustUndo = isDoubtful || change[id].isHoldDoubtful
            change.update(id) { record in
                record.reasonText = text
                record.isHoldDoubtful = mustUndo
            }
            try change.apply(.denied(reason), to: id, detail: text)
            // An earlier request to hold may still be on its way: it is sealed, or what it held is given back.
            if mustUndo { change.schedule(.release, id.releaseKey, of: id, at: change.at) }
            return change[id]
        }
    }

    /// Records that the outcome is open. In the customer's call the lane is asked to go on; in the lane the item is
    /// postponed by its worker, and an outage does not fill the story with one line for each try.
    private func leaveOpen(
        _ id: OrderID, _ kind: String, _ reason: String, _ claim: ClaimedWork?
    ) async throws -> (LedgerOrder, Step) {
        let delay = ledger.configuration.accountBackoff.delay(afterAttempt: 1, random: ledger.environment.random())
        let record = try await ledger.change([id]) { change in
            guard change[id].order.lifecycle == .received else { return change[id] }
            if claim == nil || !change[id].isHoldDoubtful {
                change.update(id) { $0.isHoldDoubtful = true }
                change.note(kind, reason, of: id)
            }
            if claim == nil { change.schedule(.receive, WorkItem.receiveKey(id), of: id, at: change.at + delay) }
            return change[id]
        }
        return (record, .open(reason: reason))
    }
}
