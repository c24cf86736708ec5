public import Contracts
internal import Cryptography
internal import EventLoop
internal import Limits
internal import Logging
public import Postgres
internal import Protobuf
public import RPCCore
public import ServiceKit

/// The only part that knows brokers: it journals each attempt, sends it through the broker's adapter, and says whether
/// the outcome is certain. Stateless but for its journal, so any number of gateways may run.
public final class BrokerGateway: BrokerGatewayService {
    public static let databaseName = "meridian_gateway"
    public static let migrations: [Migration] = [
        Migration(1, "create_attempts", String(decoding: PackageResources.m0001_create_attempts_sql, as: UTF8.self))
    ]

    private struct Broker {
        let adapter: any BrokerAdapter
        let limit: InFlightLimit
    }

    private let configuration: BrokerGatewayConfiguration
    private let environment: ServiceEnvironment
    private let postgres: PostgresClient
    private let brokers: [String: Broker]

    public init(
        configuration: BrokerGatewayConfiguration, environment: ServiceEnvironment, postgres: PostgresClient,
        adapters: [any BrokerAdapter]
    ) {
        self.configuration = configuration
        self.environment = environment
        self.postgres = postgres
        brokers = Dictionary(
            uniqueKeysWithValues: adapters.map {
                ($0.brokerID, Broker(adapter: $0, limit: InFlightLimit(configuration.concurrencyPerBroker)))
            })
    }

    public var rpcServices: [any RPCService] { [self] }

    // MARK: Calls

    public func submitOrder(
        _ request: GatewaySubmitOrderRequest, context: ServerContext
    ) async throws -> GatewaySubmitOrderResponse {
        let broker = try broker(request.brokerID)
        guard let order = request.order, !order.clientOrderID.isEmpty, request.attempt >= 1 else {
            throw Refusal(.invalidArgument, "ORDER_MISSING", "an order with an id and an attempt from 1 on is needed")
        }
        let answer = try await attempt(
            .new, number: request.attempt, of: order.clientOrderID, payload: order.encoded(), at: broker
        ) { await broker.adapter.submit(order) }
        var response = GatewaySubmitOrderResponse()
        (response.outcome, response.order, response.reason, response.text) = answer.fields
        if case .confirmed(_, duplicate: true) = answer { response.duplicate = true }
        return response
    }

    public func cancelOrder(
        _ request: GatewayCancelRequest, context: ServerContext
    ) async throws -> GatewayCancelResponse {
        let broker = try broker(request.brokerID)
        guard let cancel = request.cancel, !cancel.clientOrderID.isEmpty, !cancel.origClientOrderID.isEmpty,
            request.attempt >= 1
        else {
            throw Refusal(.invalidArgument, "CANCEL_MISSING", "a cancel with an id and an attempt from 1 on is needed")
        }
        let answer = try await attempt(
            .cancel, number: request.attempt, of: cancel.clientOrderID, payload: cancel.encoded(), at: broker
        ) { await broker.adapter.cancel(cancel) }
        var response = GatewayCancelResponse()
        (response.outcome, response.order, response.reason, response.text) = answer.fields
        return response
    }

    public func lookUpOrder(
        _ request: GatewayLookUpOrderRequest, context: ServerContext
    ) async throws -> GatewayLookUpOrderResponse {
        let broker = try broker(request.brokerID)
        let found = await broker.limit.run {
            await broker.adapter.lookUp(account: request.account, clientOrderID: request.clientOrderID)
        }
        var response = GatewayLookUpOrderResponse()
        switch found {
        case .found(let order):
            response.result = .found
            response.order = order
        case .notFound: response.result = .notFound
        case .unreachable(let text):
            response.result = .unreachable
            response.text = text
        case nil:
            response.result = .unreachable
            response.text = "too many requests are under way at \(request.brokerID)"
        }
        return response
    }

    public func getCapabilities(
        _ request: GatewayGetCapabilitiesRequest, context: ServerContext
    ) async throws -> BrokerCapabilities {
        try await broker(request.brokerID).adapter.capabilities()
    }

    // MARK: Attempts

    /// Journals, sends, journals again. Whatever fails before the send is certain; whatever fails after it is not.
    private func attempt(
        _ kind: AttemptKind, number: Int32, of clientOrderID: String, payload: [UInt8], at broker: Broker,
        send: () async -> BrokerAnswer
    ) async throws -> BrokerAnswer {
        let answer = try await broker.limit.run {
            let begun = try await begin(kind, number: number, of: clientOrderID, payload: payload, at: broker)
            if begun.otherPayload {
                throw Refusal(
                    .alreadyExists, "CLIENT_ORDER_ID_REUSED", "this id went to the broker with other content",
                    context: ["client_order_id": clientOrderID, "broker_id": broker.adapter.brokerID])
            }
            return await send()
        }
        guard let answer else {
            return .notSent(reason: "GATEWAY_BUSY", text: "too many requests are under way at this broker")
        }
        await end(kind, number: number, of: clientOrderID, at: broker, with: answer)
        return answer
    }

    private func begin(
        _ kind: AttemptKind, number: Int32, of clientOrderID: String, payload: [UInt8], at broker: Broker
    ) async throws -> BeginAttempt.Row {
        let statement = BeginAttempt(
            brokerID: broker.adapter.brokerID, clientOrderID: clientOrderID, kind: kind, attempt: number,
            payloadHash: SHA256.digest(payload), traceparent: TraceContext.current?.traceparent)
        let lock = LockRequest(brokerID: broker.adapter.brokerID, clientOrderID: clientOrderID, kind: kind)
        let row: BeginAttempt.Row
        do {
            let answer = try await Deadline.within(configuration.journalTimeout) {
                try await postgres.pipeline { pipeline in
                    _ = pipeline.query(lock)
                    return pipeline.queryOne(statement)
                }
            }
            guard let answer = try answer.get() else { preconditionFailure("the statement always gives a row") }
            row = answer
        } catch {
            environment.log.error(
                "attempt.prevented",
                metadata: ["order_id": "\(clientOrderID)", "error": "\(String(describing: error))"])
            throw Refusal(
                .unavailable, "ATTEMPTS_JOURNAL_UNAVAILABLE", "the attempt could not be written down and was not sent",
                retry: .sameIDAfter)
        }
        environment.log.info(
            "attempt.sent",
            metadata: [
                "order_id": "\(clientOrderID)", "kind": "\(kind.rawValue)", "attempt": .stringConvertible(number),
                "broker_id": "\(broker.adapter.brokerID)",
            ])
        return row
    }

    /// The answer is worth more than its journal row: a row that cannot be written is logged and stays open.
    private func end(
        _ kind: AttemptKind, number: Int32, of clientOrderID: String, at broker: Broker, with answer: BrokerAnswer
    ) async {
        let fields = answer.fields
        let outcome = answer.outcomeName
        environment.metrics.counter(
            "meridian_gateway_attempts_total", help: "Attempts by broker, kind and outcome.",
            labels: ["broker": broker.adapter.brokerID, "kind": kind.rawValue, "outcome": outcome]
        ).increment()
        environment.log.info(
            "attempt.ended",
            metadata: [
                "order_id": "\(clientOrderID)", "kind": "\(kind.rawValue)", "attempt": .stringConvertible(number),
                "outcome": "\(outcome)", "reason": "\(fields.reason)",
            ])
        let statement = EndAttempt(
            brokerID: broker.adapter.brokerID, clientOrderID: clientOrderID, kind: kind, attempt: number,
            outcome: outcome, reason: fields.reason.isEmpty ? nil : fields.reason)
        // A caller who has given up takes its deadline and its call along; the row is written all the same, in its own
        // time.
        // Not `immediate`: that would begin on this thread, which need not be the loop that it names.
        let writing = Task(executorPreference: environment.group.next) { [postgres, configuration] in
            try await Deadline.$current.withValue(.after(configuration.journalTimeout)) {
                _ = try await postgres.execute(statement)
            }
        }
        do {
            try await writing.value
        } catch {
            environment.log.error(
                "attempt.unrecorded",
                metadata: ["order_id": "\(clientOrderID)", "error": "\(String(describing: error))"])
        }
    }

    private func broker(_ id: String) throws(Refusal) -> Broker {
        guard let broker = brokers[id] else {
            throw Refusal(
                .notFound, "BROKER_UNKNOWN", "no broker of this name is connected", context: ["broker_id": id])
        }
        return broker
    }
}

extension BrokerAnswer {
    var fields: (outcome: GatewayOutcome, order: BrokerOrder?, reason: String, text: String) {
        switch self {
        case .confirmed(let order, _): (.confirmed, order, "", "")
        case .refused(let reason, let text): (.refused, nil, reason, text)
        case .unknown(let reason, let text): (.unknown, nil, reason, text)
        case .notSent(let reason, let text): (.notSent, nil, reason, text)
        }
    }

    var outcomeName: String {
        switch self {
        case .confirmed: "CONFIRMED"
        case .refused: "REFUSED"
        case .unknown: "UNKNOWN"
        case .notSent: "NOT_SENT"
        }
    }
}
