import Contracts
import Domain
import Limits
import RPCCore
import ServiceKit
import Synchronization

/// Work toward the broker: attempts, look-ups, cancels. Every request is written down before it leaves, every outcome
/// is a state, and the domain decides what comes next.
final class BrokerWorker: Sendable {
    private let ledger: Ledger
    private let gateway: BrokerGatewayServiceClient
    private let budget: Mutex<ResendBudget>
    private let resendsPutOff: Counter

    init(ledger: Ledger, gateway: BrokerGatewayServiceClient) {
        self.ledger = ledger
        self.gateway = gateway
        budget = Mutex(
            ResendBudget(burst: ledger.configuration.resendBurst, interval: ledger.configuration.resendInterval))
        resendsPutOff = ledger.environment.metrics.counter(
            "meridian_trading_resends_put_off_total", help: "Resends that waited for the broker's retry budget.")
    }

    /// How often a frozen order is looked at.
    private static let reviewPause = Duration.seconds(60)

    private var configuration: TradingConfiguration { ledger.configuration }

    func perform(_ claimed: ClaimedWork) async throws {
        switch claimed.item.kind {
        case .submit: try await submit(claimed)
        case .probe: try await lookUp(claimed)
        case .cancel: try await cancel(claimed)
        case .overdue: try await checkOverdue(claimed)
        case .receive, .capture, .credit, .debit, .release:
            preconditionFailure("\(claimed.item.kind) is work of the account lane")
        }
    }

    // MARK: Attempts

    private enum Preparation: Sendable {
        case send(BrokerPlaceOrderRequest, attempt: Int, broker: String)
        case nothing
    }

    private func submit(_ claimed: ClaimedWork) async throws {
        let id = claimed.item.order
        let prepared = try await ledger.proceed(claimed) { [self] change in
            if case .unknown(.resend) = change[id].order.submission.state, !mayResend(at: change.at) {
                change.schedule(
                    .submit, claimed.item.key, of: id, attempt: claimed.item.attempt,
                    at: change.at + configuration.resendInterval)
                return Preparation.nothing
            }
            return try Self.prepareAttempt(claimed.item, &change)
        }
        guard case .send(let request, let attempt, let broker)? = prepared else { return }
        let verdict: SubmitVerdict
        do {
            let response = try await Deadline.within(configuration.submitDeadline) {
                try await gateway.submitOrder(
                    GatewaySubmitOrderRequest(brokerID: broker, attempt: Int32(clamping: attempt), order: request))
            }
            verdict = SubmitVerdict(response, order: id)
        } catch {
            // Cancelled: the process ends. The row says that the attempt may have left; whoever comes next asks.
            try Task.checkCancellation()
            verdict = SubmitVerdict(failed: Status(describing: error))
        }
        // Lost work is no loss: evidence was faster, or another process found the lease expired and asks the broker.
        _ = try await ledger.finish(claimed) { change in
            try Self.conclude(verdict, attempt: attempt, of: id, &change)
        }
    }

    private func mayResend(at now: UnixTime) -> Bool {
        let isFree = budget.withLock { $0.take(at: now) }
        if !isFree { resendsPutOff.increment() }
        return isFree
    }

    /// Checks under lock that the attempt is still wanted, and writes "about to send".
    private static func prepareAttempt(_ item: WorkItem, _ change: inout LedgerChange) throws -> Preparation {
        let id = item.order
        let order = change[id].order
        guard order.lifecycle == .queued else { return drop(item, &change) }
        switch order.submission.state {
        case .sent where item.attempt <= order.submission.attempts:
            // Its worker died between "about to send" and the outcome: nobody knows.
            change.remove(work: item.key)
            try change.apply(
                .outcomeUnknown(at: change.at), to: id, detail: "attempt \(order.submission.attempts): its sender died")
            return .nothing
        case .ready, .unknown(.resend):
            guard item.attempt == order.submission.attempts + 1 else { return drop(item, &change) }
            return try startAttempt(item, order, &change)
        case .sent, .unknown(.probe), .unknown(.review), .unknown(.conclude), .confirmed, .refused:
            return drop(item, &change)
        }
    }

    private static func startAttempt(
        _ item: WorkItem, _ order: Order, _ change: inout LedgerChange
    ) throws -> Preparation {
        let id = item.order
        do {
            try change.apply(
                .sending(attempt: item.attempt, at: change.at), to: id,
                detail: "attempt \(item.attempt) of \(id) is about to be sent", kind: "ATTEMPT_SENT")
            return .send(
                BrokerPlaceOrderRequest(order), attempt: item.attempt, broker: change[id].broker.text)
        } catch let refusal as InvalidTransition where refusal.problem == .notAllowedNow {
            change.remove(work: item.key)
            if case .unknown(.resend(let due)) = order.submission.state {
                guard due <= change.at else {
                    change.schedule(.submit, item.key, of: id, attempt: item.attempt, at: due)
                    return .nothing
                }
                try change.apply(
                    .resendWithdrawn(at: change.at), to: id, detail: "the policy does not allow it any more")
            } else if let end = change[id].sessionEndsAt, change.at >= end {
                try change.apply(.lapsed, to: id, detail: "the session ended before anything was sent")
            } else {
                // Halted or under review: later, without counting as an attempt.
                change.schedule(.submit, item.key, of: id, attempt: item.attempt, at: change.at + .seconds(1))
            }
            return .nothing
        }
    }

    private static func drop(_ item: WorkItem, _ change: inout LedgerChange) -> Preparation {
        change.remove(work: item.key)
        return .nothing
    }

    private static func conclude(
        _ verdict: SubmitVerdict, attempt: Int, of id: OrderID, _ change: inout LedgerChange
    ) throws {
        let at = change.at
        switch verdict {
        case .confirmed(let view, let isDuplicate):
            let detail =
                "attempt \(attempt): broker order \(view.brokerOrder?.text ?? "?")"
                + (isDuplicate ? ", the broker knew the id already" : "")
            let event: OrderEvent = view.isPlainAcceptance ? .acknowledged(view.brokerOrder) : .reported(view)
            try change.apply(event, to: id, detail: detail, kind: "ACKNOWLEDGED")
        case .refused(let reason, let text):
            change.update(id) { $0.reasonText = text }
            try change.apply(.refused(reason), to: id, detail: "attempt \(attempt): \(reason) \(text)")
        case .unknown(let reason):
            try change.apply(
                .outcomeUnknown(at: at), to: id, detail: "attempt \(attempt): \(reason)", kind: "REPLY_LOST")
        case .notSent(let reason):
            try change.apply(.notSent(at: at), to: id, detail: "attempt \(attempt): \(reason)")
        }
    }

    // MARK: Look-ups

    private func lookUp(_ claimed: ClaimedWork) async throws {
        let id = claimed.item.order
        guard let record = try await ledger.order(id) else { throw UnreadableRow(what: "order \(id) is gone") }
        let askedAt = ledger.environment.now()
        let verdict: LookUpVerdict
        do {
            let response = try await Deadline.within(configuration.lookUpDeadline) {
                try await gateway.lookUpOrder(
                    GatewayLookUpOrderRequest(
                        brokerID: record.broker.text, account: record.terms.account.text, clientOrderID: id.text))
            }
            verdict = LookUpVerdict(response, order: id)
        } catch {
            try Task.checkCancellation()
            verdict = .failed(reason: Status(describing: error).reason)
        }
        _ = try await ledger.finish(claimed) { change in
            switch verdict {
            case .found(let view):
                try change.apply(
                    .reported(view), to: id,
                    detail: "broker order \(view.brokerOrder?.text ?? "?"), \(view.status), \(view.cumQuantity) filled",
                    kind: "LOOK_UP_FOUND")
            case .notFound:
                try change.apply(.lookUpMissed(at: askedAt), to: id, detail: "the broker does not know the id")
            case .failed(let reason): try change.apply(.lookUpFailed(at: askedAt), to: id, detail: reason)
            }
        }
    }

    // MARK: Cancels

    private func cancel(_ claimed: ClaimedWork) async throws {
        let id = claimed.item.order
        let prepared = try await ledger.proceed(claimed) { change -> GatewayCancelRequest? in
            try Self.prepareCancel(claimed.item, &change)
        }
        guard case .some(.some(let request)) = prepared else { return }
        let verdict: CancelVerdict
        do {
            let response = try await Deadline.within(configuration.cancelDeadline) {
                try await gateway.cancelOrder(request)
            }
            verdict = CancelVerdict(response)
        } catch {
            try Task.checkCancellation()
            verdict = .unknown(reason: Status(describing: error).reason)
        }
        _ = try await ledger.finish(claimed) { change in
            let at = change.at
            let attempt = "cancel attempt \(request.attempt)"
            switch verdict {
            case .taken:
                try change.apply(.cancelAcknowledged, to: id, detail: "\(attempt): the broker took it on")
            case .refused(let reason): try change.apply(.cancelRefused(reason), to: id, detail: "\(attempt): \(reason)")
            case .noOrder:
                try change.apply(
                    .cancelFoundNoOrder(at: at), to: id, detail: "\(attempt): the broker does not know the order")
            case .unknown(let reason):
                try change.apply(.cancelOutcomeUnknown(at: at), to: id, detail: "\(attempt): \(reason)")
            }
        }
    }

    /// Checks under lock that the cancel is still wanted, and writes "about to send".
    private static func prepareCancel(
        _ item: WorkItem, _ change: inout LedgerChange
    ) throws -> GatewayCancelRequest? {
        let id = item.order
        let order = change[id].order
        switch order.cancellation {
        case .sent(let attempt) where item.attempt <= attempt && !order.status.isFinal:
            change.remove(work: item.key)
            try change.apply(
                .cancelOutcomeUnknown(at: change.at), to: id, detail: "cancel attempt \(attempt): its sender died")
            return nil
        case .wanted, .unknown:
            guard !order.status.isFinal, item.attempt == order.cancelAttempts + 1 else { break }
            guard !order.needsReview else {
                // Frozen until a person acts; the wish stands, and is looked at again without a line in the story.
                change.schedule(.cancel, item.key, of: id, attempt: item.attempt, at: change.at + reviewPause)
                return nil
            }
            try change.apply(
                .cancelSending(attempt: item.attempt, at: change.at), to: id,
                detail: "cancel attempt \(item.attempt) is about to be sent", kind: "CANCEL_SENT")
            return GatewayCancelRequest(
                brokerID: change[id].broker.text, attempt: Int32(clamping: item.attempt),
                cancel: BrokerCancelOrderRequest(
                    clientOrderID: id.cancelRequestID, origClientOrderID: id.text,
                    account: order.terms.account.text))
        case .none, .sent, .confirmed, .refused: break
        }
        change.remove(work: item.key)
        return nil
    }

    // MARK: Missing executions

    private func checkOverdue(_ claimed: ClaimedWork) async throws {
        let id = claimed.item.order
        _ = try await ledger.finish(claimed) { change in
            let order = change[id].order
            guard order.brokerCumQuantity > order.cumQuantity else { return }
            let detail = "the broker counts \(order.brokerCumQuantity), \(order.cumQuantity) have arrived"
            switch order.lifecycle {
            case .queued, .working: try change.apply(.closeOverdue, to: id, detail: detail)
            case .received, .held, .closed, .denied: change.alert("executions are missing: \(detail)", of: id)
            }
        }
    }
}

extension OrderID {
    /// The id of the request to cancel: one for all its attempts, at most 36 characters, a function of the order.
    var cancelRequestID: String { ClientOrderID(derivedFrom: "cancel", text).text }
}
