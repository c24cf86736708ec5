internal import Contracts
internal import Domain
internal import Limits
internal import Logging
internal import Protobuf
internal import RPCCore
internal import ServiceKit

/// The broker's side of the contract, over the books.
struct BrokerServiceHandler: BrokerService {
    let core: BrokerCore
    let configuration: MockBrokerConfiguration
    let environment: ServiceEnvironment
    let attempts: AttemptMetrics
    let pipeline: RequestPipeline

    let connections: Connections

    init(
        core: BrokerCore, configuration: MockBrokerConfiguration, connections: Connections,
        environment: ServiceEnvironment
    ) {
        self.connections = connections
        self.core = core
        self.configuration = configuration
        self.environment = environment
        attempts = AttemptMetrics(environment.metrics)
        pipeline = RequestPipeline(
            core: core, environment: environment, noAnswerLimit: configuration.noAnswerLimit)
    }

    func placeOrder(
        _ request: BrokerPlaceOrderRequest, context: ServerContext
    ) async throws -> BrokerPlaceOrderResponse {
        let content = Self.reading { try OrderContent(request) }
        let traceparent = Self.traceparent(context)
        let venue = core.venue
        let fact = RequestFact(
            .placeOrder, request, context, account: request.account, clientOrder: request.clientOrderID)
        do {
            let response = try await pipeline.run(
                fact, terms: try? content.get(), context
            ) { book, arrival, now throws(BrokerRefusal) in
                try book.place(try content.get(), traceparent: traceparent, arrival, at: now, venue)
            } order: { answer in
                answer.order
            } reply: { book, answer in
                // The first answer: the order as it was when it was accepted.
                let order = book.order(answer.order).map { book.told($0.original) }
                if case .replayed = answer { return BrokerPlaceOrderResponse(order: order, replayed: true) }
                return BrokerPlaceOrderResponse(order: order, replayed: false)
            }
            log(response, fact)
            return response
        } catch {
            log(error, "order", fact)
            throw error
        }
    }

    /// What the request brought as its trace, for its reports. Longer than any version of the header has been, it is no
    /// trace, and not kept.
    private static func traceparent(_ context: ServerContext) -> String {
        let text = context.metadata["traceparent"] ?? ""
        return text.utf8.count <= 256 ? text : ""
    }

    /// Reads a request; what is wrong with it is told when it is carried out.
    static func reading<Value>(_ body: () throws -> Value) -> Result<Value, BrokerRefusal> {
        do {
            return .success(try body())
        } catch let refusal as BrokerRefusal {
            return .failure(refusal)
        } catch let refusal as Contracts.Refusal {
            let field = refusal.context["field"] ?? ""
            return .failure(
                .invalidField(path: field, reason: ReasonCode(rawValue: refusal.reason), problem: refusal.message))
        } catch {
            preconditionFailure("reading a request threw \(error)")
        }
    }

    func cancelOrder(
        _ request: BrokerCancelOrderRequest, context: ServerContext
    ) async throws -> BrokerCancelOrderResponse {
        let keys = Self.reading {
            let key = try OrderKey(account: request.account, clientOrder: request.clientOrderID)
            let target = try OrderName(
                account: key.account, originalClientOrder: request.origClientOrderID, order: request.orderID)
            return (key: key, target: target)
        }
        let fact = RequestFact(
            .cancelOrder, request, context, account: request.account, clientOrder: request.clientOrderID)
        do {
            let response = try await pipeline.run(fact, context) { book, arrival, now throws(BrokerRefusal) in
                let keys = try keys.get()
                return try book.cancel(keys.target, request: keys.key, arrival, at: now)
            } order: { id in
                id
            } reply: { book, id in
                BrokerCancelOrderResponse(order: book.order(id).map { book.told($0) })
            }
            environment.log.info(
                "cancel.accepted",
                metadata: [
                    "client_order_id": "\(request.origClientOrderID)", "request_id": "\(request.clientOrderID)",
                ])
            return response
        } catch {
            log(error, "cancel", fact)
            throw error
        }
    }

    func getOrder(_ request: BrokerGetOrderRequest, context: ServerContext) async throws -> Contracts.BrokerOrder {
        let wanted = Self.reading { try OrderName(request) }
        var clientOrder = ""
        var order = ""
        switch request.id {
        case .clientOrderID(let text): clientOrder = text
        case .orderID(let text): order = text
        case nil: break
        }
        let fact = RequestFact(
            .getOrder, request, context, account: request.account, clientOrder: clientOrder, order: order)
        return try await pipeline.run(fact, context) { book, arrival, now throws(BrokerRefusal) in
            let place = try book.find(try wanted.get(), path: "client_order_id")
            guard let row = BookView(book.behavior, arrival, at: now).row(place, in: book) else { throw .unknownOrder }
            return Decision(records: [], answer: row)
        } reply: { book, row in
            book.told(row)
        }
    }

    func listExecutions(
        _ request: BrokerListExecutionsRequest, context: ServerContext
    ) async throws -> BrokerListExecutionsResponse {
        let fact = RequestFact(.listExecutions, request, context)
        let passage = try await pipeline.open(fact, context)
        do {
            let response = try page(request, passage)
            pipeline.close(passage, nil)
            return response
        } catch {
            pipeline.close(passage, error)
            throw error
        }
    }

    /// Only what is on disk.
    private func page(
        _ request: BrokerListExecutionsRequest, _ passage: RequestPipeline.Passage
    ) throws(BrokerRefusal) -> BrokerListExecutionsResponse {
        guard (0...1000).contains(request.pageSize) else {
            throw .invalidField(path: "page_size", reason: "PAGE_SIZE_INVALID", problem: "is not 0 to 1000")
        }
        let start = try core.sequence(in: passage.space, of: request.cursor)
        let limit = request.pageSize == 0 ? 100 : Int(request.pageSize)
        let page = try core.feed(in: passage.space, after: start, limit: limit) { book, sequence, now in
            let view = BookView(book.behavior, passage.arrival, at: now)
            return (
                isThere: book.feed[sequence - 1].at <= view.staleTime ?? now,
                isListed: start == 0 || !book.unlisted.contains(sequence), report: book.toldReport(sequence), view: view
            )
        }
        let there = page.reports.prefix(while: \.isThere)
        let reports = there.filter(\.isListed).map(\.report)
        let isEnd = there.count < page.reports.count || start + there.count >= page.durableSequence
        let view = there.first?.view
        return BrokerListExecutionsResponse(
            reports: view?.page(reports) ?? [], nextCursor: there.last?.report.cursor ?? request.cursor,
            complete: isEnd || view?.wrongPage == .truncated)
    }

    func streamExecutions(
        _ request: BrokerStreamExecutionsRequest, responses: ResponseStream<BrokerExecutionEvent>,
        context: ServerContext
    ) async throws {
        let passage = try await pipeline.open(RequestFact(.streamExecutions, request, context), context)
        do {
            let asked = try core.sequence(in: passage.space, of: request.cursor)
            let last = try core.lastCursor(in: passage.space).sequence
            let reader = ExecutionReader(
                core: core, space: passage.space, stream: passage.arrival.number,
                heartbeatInterval: configuration.heartbeatInterval, accounts: try Self.accounts(request.accounts),
                start: passage.arrival.start(asked: asked, last: last), call: context.call)
            connections.streamBegins(context.peer.address)
            defer { connections.streamEnds(context.peer.address) }
            try await reader.run()
        } catch {
            pipeline.close(passage, error)
            throw error
        }
    }

    /// Whose reports a stream shows; nil means everybody's.
    private static func accounts(_ texts: [String]) throws(BrokerRefusal) -> Set<AccountID>? {
        guard !texts.isEmpty else { return nil }
        guard texts.count <= 1000 else {
            throw .invalidField(path: "accounts", reason: "TOO_MANY_ACCOUNTS", problem: "must be at most 1000")
        }
        var accounts: Set<AccountID> = []
        for (index, text) in texts.enumerated() {
            accounts.insert(try .reading(text, "accounts[\(index)]", "ACCOUNT_INVALID"))
        }
        return accounts
    }

    func getCapabilities(
        _ request: BrokerGetCapabilitiesRequest, context: ServerContext
    ) async throws -> Contracts.BrokerCapabilities {
        let brokerID = configuration.brokerID
        return try await pipeline.run(RequestFact(.getCapabilities, request, context), context) {
            book, _, _ throws(BrokerRefusal) in
            Decision(records: [], answer: ())
        } reply: { book, _ in
            BrokerCapabilities(book.behavior, brokerID)
        }
    }

    private func log(_ response: BrokerPlaceOrderResponse, _ fact: RequestFact) {
        (response.replayed ? attempts.replayed : attempts.accepted).increment()
        environment.log.info(
            response.replayed ? "order.replayed" : "order.accepted",
            metadata: [
                "client_order_id": "\(fact.clientOrder)", "symbol": "\(response.order?.symbol ?? "")",
                "order_id": "\(response.order?.orderID ?? "")",
            ])
    }

    /// A request that has no reply of its own, because of the broker or because of a rule.
    func log(_ error: any Error, _ what: String, _ fact: RequestFact) {
        let facts: Logger.Metadata = ["client_order_id": "\(fact.clientOrder)"]
        switch error {
        case let refusal as BrokerRefusal:
            if fact.operation == .placeOrder { attempts.refused.increment() }
            environment.log.info(
                "\(what).refused", metadata: facts.merging(["reason": "\(refusal.reason)"]) { old, _ in old })
        default:
            if fact.operation == .placeOrder { attempts.replyLost.increment() }
            environment.log.info("\(what).reply_lost", metadata: facts)
        }
    }
}

extension Arrival {
    /// Where a stream begins that asked for what comes after `asked`.
    fileprivate func start(asked: Int, last: Int) -> Int {
        for firing in firings {
            guard case .event(.cursor(let offBy)) = firing.action else { continue }
            return offBy.map { min(max(0, asked + $0), last) } ?? 0
        }
        return asked
    }
}

extension Contracts.BrokerCapabilities {
    init(_ behavior: Behavior, _ broker: BrokerID) {
        self.init(
            brokerID: broker.text, idempotencyMode: BrokerIdempotencyMode(behavior.idempotencyMode),
            // For as long as the journal exists; a hundred years stand for ever.
            dedupWindowSeconds: (behavior.dedupWindow ?? Behavior.longestWindow).components.seconds,
            idMaxLength: Int32(IDKinds.ClientOrder.maximumLength), lookupByClientID: behavior.hasClientIDs,
            visibilityDelayMilliseconds: behavior.visibilityDelay.wholeMilliseconds,
            cancelByClientID: behavior.hasClientIDs,
            execIDSupported: true, cursorSupported: true,
            ordTypes: OrderType.Name.allCases.map { WireOrdType($0) },
            timesInForce: TimeInForce.allCases.map { WireTimeInForce($0) }, idScope: BrokerIdScope(behavior.idScope),
            changedRepeatRefused: behavior.idempotencyMode.makesResendSafe && !behavior.ignoresChangedRepeats,
            replaceSupported: true, massStatusSupported: true, correctionsSupported: true,
            definitiveRejectReasons: BrokerRefusal.definitiveReasons.map(\.rawValue))
    }
}
