internal import Contracts
internal import Domain
internal import EventBus
internal import Limits
internal import Logging
internal import Postgres
internal import Protobuf
internal import ServiceKit

/// Consumes "withdrawal-cancelled": the account service has given a withdrawal back.
///
/// Inbox row, state and limit are one transaction, so that a message has its effect once however often it comes.
struct CancelledListener: Sendable {
    /// Its name in the inbox and its group on the bus.
    static let consumer = "fx"

    let store: ExchangeStore
    let rules: ExchangeRules
    let environment: ServiceEnvironment
    let metrics: FXSagaMetrics
    let waiters: ExchangeWaiters

    /// Takes one message. When it throws, the message has had no effect and comes again.
    func consume(_ event: EventEnvelope) async throws {
        let trace = event.headers["traceparent"].flatMap(TraceContext.init(traceparent:))
        try await TraceContext.$current.withValue(trace?.child(random: environment.random())) {
            try await Deadline.within(store.timeout) { try await take(event) }
        }
    }

    private func take(_ event: EventEnvelope) async throws {
        guard let message = Message(event) else {
            return try await bury(event, "not a WithdrawalCancelled of an exchange")
        }
        do {
            let entered = try await apply(message, event)
            report(message, entered)
            waiters.wake(message.exchange)
        } catch let error as IllegalExchangeEvent {
            try await bury(event, "cannot follow: \(error)")
        }
    }

    private struct Message {
        let exchange: ExchangeID
        let outcome: OperationOutcome

        init?(_ event: EventEnvelope) {
            guard let payload = try? EventWithdrawalCancelled(decoding: event.payload),
                let exchange = try? ExchangeID(payload.exchangeID),
                payload.operationKey == "\(exchange.text)/withdraw"
            else { return nil }
            switch payload.outcome {
            case OperationOutcome.reversed.name: outcome = .reversed
            case OperationOutcome.sealed.name: outcome = .sealed
            case "REFUSED": outcome = .refused("REFUSED")
            default: return nil
            }
            self.exchange = exchange
        }
    }

    /// The states that were entered; empty when the message was known or changed nothing.
    private func apply(_ message: Message, _ event: EventEnvelope) async throws -> [ExchangeState] {
        try await store.postgres.withTransaction { transaction in
            guard try await transaction.execute(RecordInInbox(consumer: Self.consumer, eventID: event.id)) == 1 else {
                return []
            }
            // Takes the lease over: a driver that is just sending the request again is stopped by the new epoch.
            guard let claim = try await store.claim(message.exchange, in: transaction),
                let record = try await store.load(message.exchange, in: transaction)
            else { return [] }
            var saga = try record.saga()
            let step = try ExchangeStep.next(&saga, .withdrawalCancelled(message.outcome), rules: rules)
            let evidence = StepEvidence(
                detail: "withdrawal \(message.outcome.name), told by event \(event.id.prefix(100))",
                contradicts: message.outcome != .reversed)
            try await store.commit(
                step, of: record.snapshot, after: record.position, under: claim, evidence, in: transaction)
            return step.entered
        }
    }

    private func bury(_ event: EventEnvelope, _ reason: String) async throws {
        metrics.deadLetters.increment()
        environment.log.error("event.buried", metadata: ["event_id": "\(event.id)", "reason": "\(reason)"])
        try await store.postgres.execute(InsertDeadLetter(event: event, reason: String(reason.prefix(500))))
    }

    private func report(_ message: Message, _ entered: [ExchangeState]) {
        guard !entered.isEmpty else {
            metrics.duplicateEvents.increment()
            environment.log.info("event.duplicate", metadata: ["exchange_id": "\(message.exchange)"])
            return
        }
        for state in entered {
            metrics.entered(state)
            environment.log.log(
                level: state.isTerminal ? .info : .critical, Logger.Message(stringLiteral: state.eventName),
                metadata: ["exchange_id": "\(message.exchange)", "detail": "withdrawal \(message.outcome.name)"])
        }
    }
}
