internal import Contracts
internal import Domain
internal import Logging
internal import Protobuf
internal import RPCCore
internal import ServiceKit

/// The broker's side of the contract, over the book.
struct BrokerServiceHandler: BrokerService {
    let core: BrokerCore
    let configuration: MockBrokerConfiguration
    let environment: ServiceEnvironment
    let attempts: AttemptMetrics

    init(core: BrokerCore, configuration: MockBrokerConfiguration, environment: ServiceEnvironment) {
        self.core = core
        self.configuration = configuration
        self.environment = environment
        attempts = AttemptMetrics(environment.metrics)
    }

    func placeOrder(
        _ request: BrokerPlaceOrderRequest, context: ServerContext
    ) async throws -> BrokerPlaceOrderResponse {
        let content = try OrderContent(request)
        let traceparent = Self.traceparent(context)
        let rules = core.rules
        let (answer, order) = try await core.perform { book, now throws(BrokerRefusal) in
            book.place(content, traceparent: traceparent, at: now, rules)
        } then: { book, answer in
            (answer, answer.orderID.flatMap { book.order($0) })
        }
        log(answer, content)
        switch answer.fate {
        case .deliver(let delay): try await wait(delay)
        case .lose: try await LostReply.hold(context, atMost: configuration.lostReplyHold)
        }
        switch answer.content {
        case .accepted: return BrokerPlaceOrderResponse(order: order.map { .init($0.original) }, replayed: false)
        case .replayed: return BrokerPlaceOrderResponse(order: order.map { .init($0.original) }, replayed: true)
        case .refused(let refusal): throw refusal
        case .requestLost: preconditionFailure("a request that was lost has no reply")
        }
    }

    /// What the request brought as its trace, for its reports. Longer than any version of the header has been, it is no
    /// trace, and not kept.
    private static func traceparent(_ context: ServerContext) -> String {
        let text = context.metadata["traceparent"] ?? ""
        return text.utf8.count <= 256 ? text : ""
    }

    func cancelOrder(
        _ request: BrokerCancelOrderRequest, context: ServerContext
    ) async throws -> BrokerCancelOrderResponse {
        let key = try OrderKey(account: request.account, clientOrder: request.clientOrderID)
        let original: ClientOrderID = try .reading(
            request.origClientOrderID, "orig_client_order_id", "CLIENT_ORDER_ID_INVALID")
        let (answer, order) = try await core.perform { book, now throws(BrokerRefusal) in
            book.cancel(original, request: key, at: now)
        } then: { book, answer in
            (answer, (try? answer.content.get()).flatMap { book.order($0) })
        }
        try await wait(answer.latency)
        var facts: Logger.Metadata = ["client_order_id": "\(original)", "request_id": "\(key.clientOrder)"]
        if case .failure(let refusal) = answer.content {
            facts["reason"] = "\(refusal.reason)"
            environment.log.info("cancel.refused", metadata: facts)
            throw refusal
        }
        environment.log.info("cancel.accepted", metadata: facts)
        return BrokerCancelOrderResponse(order: order.map { .init($0) })
    }

    func getOrder(_ request: BrokerGetOrderRequest, context: ServerContext) async throws -> Contracts.BrokerOrder {
        let account: AccountID = try .reading(request.account, "account", "ACCOUNT_INVALID")
        let find: @Sendable (borrowing BrokerBook) -> BookOrder?
        switch request.id {
        case .clientOrderID(let text):
            let key = try OrderKey(account: request.account, clientOrder: text)
            find = { $0.order(key) }
        case .orderID(let text):
            let id: BrokerOrderID = try .reading(text, "order_id", "ORDER_ID_INVALID")
            find = { $0.order(id) }
        case nil:
            throw BrokerRefusal.invalidField(path: "id", reason: "ORDER_ID_MISSING", problem: "is missing")
        }
        return try await core.read { book, now throws(BrokerRefusal) in
            guard let order = find(book), order.content.key.account == account, book.isVisible(order, at: now) else {
                throw .unknownOrder
            }
            return Contracts.BrokerOrder(order)
        }
    }

    func listExecutions(
        _ request: BrokerListExecutionsRequest, context: ServerContext
    ) async throws -> BrokerListExecutionsResponse {
        guard (0...1000).contains(request.pageSize) else {
            throw BrokerRefusal.invalidField(
                path: "page_size", reason: "PAGE_SIZE_INVALID", problem: "is not 0 to 1000")
        }
        let start = try core.sequence(of: request.cursor)
        let limit = request.pageSize == 0 ? 100 : Int(request.pageSize)
        let page = core.feed(after: start, limit: limit) { book, sequence in book.report(sequence) }
        return BrokerListExecutionsResponse(
            reports: page.reports, nextCursor: page.reports.last?.cursor ?? request.cursor,
            complete: start + page.reports.count >= page.durableSequence)
    }

    func streamExecutions(
        _ request: BrokerStreamExecutionsRequest, responses: ResponseStream<BrokerExecutionEvent>,
        context: ServerContext
    ) async throws {
        let reader = ExecutionReader(
            core: core, heartbeatInterval: configuration.heartbeatInterval,
            sequence: try core.sequence(of: request.cursor))
        try await reader.run { event in try await responses.write(BrokerExecutionEvent(event: event)) }
    }

    func getCapabilities(
        _ request: BrokerGetCapabilitiesRequest, context: ServerContext
    ) async throws -> Contracts.BrokerCapabilities {
        let behavior = try await core.read { book, _ throws(BrokerRefusal) in book.behavior }
        return BrokerCapabilities(
            brokerID: configuration.brokerID.text, idempotencyMode: BrokerIdempotencyMode(behavior.idempotencyMode),
            // For as long as the journal exists; a hundred years stand for ever.
            dedupWindowSeconds: 100 * 365 * 86_400, idMaxLength: Int32(IDKinds.ClientOrder.maximumLength),
            lookupByClientID: true, visibilityDelayMilliseconds: behavior.visibilityDelayMilliseconds,
            cancelByClientID: true, execIDSupported: true, cursorSupported: true,
            ordTypes: OrderType.Name.allCases.map { WireOrdType($0) },
            timesInForce: TimeInForce.allCases.map { WireTimeInForce($0) })
    }

    private func wait(_ delay: Duration) async throws {
        if delay > .zero { try await core.clock.sleep(until: core.clock.now + delay) }
    }

    private func log(_ answer: PlaceAnswer, _ content: OrderContent) {
        var facts: Logger.Metadata = ["client_order_id": "\(content.key.clientOrder)", "symbol": "\(content.symbol)"]
        let event: Logger.Message
        switch answer.content {
        case .accepted(let id):
            attempts.accepted.increment()
            event = "order.accepted"
            facts["order_id"] = "\(id)"
        case .replayed(let id):
            attempts.replayed.increment()
            event = "order.replayed"
            facts["order_id"] = "\(id)"
        case .refused(let refusal):
            attempts.refused.increment()
            event = "order.refused"
            facts["reason"] = "\(refusal.reason)"
        case .requestLost:
            attempts.requestLost.increment()
            event = "order.request_lost"
        }
        environment.log.info(event, metadata: facts)
        guard case .lose = answer.fate else { return }
        if case .requestLost = answer.content { return }
        attempts.replyLost.increment()
        environment.log.info("order.reply_lost", metadata: facts)
    }
}

extension PlaceAnswer {
    fileprivate var orderID: BrokerOrderID? {
        switch content {
        case .accepted(let id), .replayed(let id): id
        case .refused, .requestLost: nil
        }
    }
}
