import Contracts
import Domain
import Limits
import Logging
import Postgres
import RPCCore
import ServiceKit

/// Takes orders in: judges them by rule, writes the intent, and drives it to PENDING or DENIED.
///
/// The caller's call and the account lane use the same driver, so an order that the caller's process could not finish
/// is finished by whoever finds it.
final class OrderReception: Sendable {
    private let ledger: Ledger
    private let driver: ReceptionDriver
    private let instruments: [InstrumentID: Instrument]

    init(ledger: Ledger, driver: ReceptionDriver) {
        self.ledger = ledger
        self.driver = driver
        instruments = Dictionary(ledger.configuration.instruments.map { ($0.id, $0) }) { $1 }
    }

    struct Outcome: Sendable {
        let record: LedgerOrder
        let isReplayed: Bool
    }

    /// Places an order, or gives the first answer again.
    ///
    /// - Throws: `Refusal`. ORDER_PENDING_FUNDS with certainty UNKNOWN when the outcome of the hold is open: the order
    ///   exists and is gone on with; the same request asks again.
    func place(_ wire: TradingPlaceOrderRequest) async throws -> Outcome {
        let request = try OrderRequest(wire) { instruments[$0]?.currency ?? .usd }
        let now = ledger.environment.now()
        let hold: HoldPlan?
        do {
            hold = try judge(request.terms, at: now)
        } catch {
            // The first answer stands, whatever the rules say by now.
            if let first = try await known(request), first.fingerprint == request.fingerprint {
                return try await answer(first.id, isReplayed: true)
            }
            throw error.refusal
        }
        if let record = try await insert(newRecord(request, at: now), hold) {
            return try await answer(record.id, record, isReplayed: false)
        }
        guard let first = try await known(request) else {
            throw Refusal(
                .aborted, "ORDER_NOT_READABLE", "the first order under this id cannot be read yet",
                certainty: .unknown, retry: .sameIDAfter)
        }
        guard first.fingerprint == request.fingerprint else {
            throw Refusal(
                .alreadyExists, "CLIENT_ORDER_ID_REUSED", "another order was placed under this client order id",
                context: ["order_id": first.id.text])
        }
        return try await answer(first.id, isReplayed: true)
    }

    private func known(_ request: OrderRequest) async throws -> LedgerOrder? {
        try await ledger.order(request.terms.clientOrder, of: request.terms.customer)
    }

    /// The verdict of the rules, and what has to be held; nil for sales.
    private func judge(_ terms: OrderTerms, at now: UnixTime) throws(Denial) -> HoldPlan? {
        let configuration = ledger.configuration
        let lastPrice = configuration.lastPrices[terms.instrument]
        let context = ValidationContext(
            instrument: instruments[terms.instrument], lastPrice: lastPrice,
            session: configuration.calendar.marketSession(at: now), broker: ledger.capabilities.current,
            engagedSwitches: configuration.engagedSwitches)
        try OrderValidator(limits: configuration.limits).validate(terms, in: context)
        switch terms.side {
        case .sell: return nil
        case .buy:
            return try HoldPlan(
                buying: terms, lastPrice: lastPrice, collar: configuration.limits.collar, fees: configuration.fees,
                tradeDate: configuration.calendar.tradeDate(at: now))
        }
    }

    private func newRecord(_ request: OrderRequest, at now: UnixTime) -> LedgerOrder {
        let random = ledger.environment.random
        let configuration = ledger.configuration
        let endsWithSession = !configuration.limits.ignoresSessions && request.terms.timeInForce != .goodTillCancel
        return LedgerOrder(
            order: Order(id: OrderID(at: now, random: (random(), random())), terms: request.terms),
            fingerprint: request.fingerprint, fundingAccount: request.fundingAccount,
            broker: configuration.broker.broker,
            sessionEndsAt: endsWithSession ? configuration.calendar.currentOrNextSession(at: now).closesAt : nil,
            version: 0, traceparent: TraceContext.current?.traceparent ?? "", createdAt: now, updatedAt: now)
    }

    /// Writes the intent. A purchase gets a row of work that finishes it should this process die; a sale is decided in
    /// the same transaction.
    private func insert(_ record: LedgerOrder, _ hold: HoldPlan?) async throws -> LedgerOrder? {
        let id = record.id
        let terms = record.terms
        let resumeAt = record.createdAt + ledger.configuration.receiveGrace
        let holder = ledger.configuration.instance
        let received =
            "\(terms.side.rawValue) \(terms.quantity) \(terms.instrument) \(terms.type.name.rawValue)"
            + (terms.type.limitPrice.map { " \($0)" } ?? "")
        guard let hold else {
            return try await ledger.insert(record) { change in
                change.note("RECEIVED", received, of: id)
                try change.apply(.validated(hold: nil), to: id, detail: "shares are held, not money")
            } decide: { change in
                try Self.holdShares(id, &change)
            }
        }
        return try await ledger.insert(record) { change in
            change.note("RECEIVED", received, of: id)
            try change.apply(.validated(hold: hold.total), to: id, detail: hold.explanation)
            change.schedule(.receive, WorkItem.receiveKey(id), of: id, at: resumeAt, holder: holder)
        }
    }

    private static func holdShares(_ id: OrderID, _ change: inout LedgerChange) throws {
        let terms = change[id].terms
        let position = change.position(of: id)
        guard position.customer == terms.customer, change.reserveShares(id) else {
            change.update(id) { $0.reasonText = "there are not enough shares to sell" }
            try change.apply(
                .denied(.insufficientShares), to: id,
                detail: "\(position.available) available, \(terms.quantity) wanted")
            return
        }
        try change.apply(.held(id.holdID), to: id, detail: "\(terms.quantity) \(terms.instrument) set aside")
        try change.apply(.queued(at: change.at), to: id, detail: "to \(change[id].broker)")
    }

    /// Drives the order as far as it goes now, and answers with what it has become. From here on the order exists:
    /// whatever goes wrong, its outcome is open, and the account lane goes on with it.
    private func answer(
        _ id: OrderID, _ asWritten: LedgerOrder? = nil, isReplayed: Bool
    ) async throws -> Outcome {
        let step: ReceptionDriver.Step
        do {
            let (record, reached) = try await driver.drive(id, from: asWritten, claim: nil)
            guard reached != .done else { return Outcome(record: record, isReplayed: isReplayed) }
            step = reached
        } catch let error as PostgresError {
            ledger.environment.log.warning(
                "order.left_open", metadata: ["order_id": "\(id)", "error": "\(error)"])
            step = .open(reason: "LEDGER_UNAVAILABLE")
        }
        var context = ["order_id": id.text]
        if case .open(let reason) = step { context["cause"] = reason }
        throw Refusal(
            .unavailable, "ORDER_PENDING_FUNDS", "the order is taken in and its money is not held yet",
            certainty: .unknown, retry: .sameIDAfter, context: context)
    }
}

extension HoldPlan {
    /// The arithmetic in words.
    var explanation: String {
        let price = collar.map { "\(worstPrice), the last price plus \($0)" } ?? "\(worstPrice), the limit"
        return "hold \(total) = \(quantity) x \(price) + fees \(fees)"
    }
}
