internal import Contracts
internal import Domain
internal import Protobuf

extension BrokerJournalEntry {
    init(_ line: JournalPage.Line) {
        let entry = line.entry
        let content: BrokerJournalEntry.Entry =
            switch entry.content {
            case .request(let fact, let number, let attempt, let decisions):
                .request(BrokerRequestEntry(fact, number, attempt, decisions))
            case .reply(let fact, _, let order):
                .reply(
                    BrokerReplyEntry(
                        requestNumber: Int64(fact.request), code: fact.code.map(Int32.init), reason: fact.reason,
                        shownCode: fact.shownCode.map(Int32.init),
                        fate: BrokerReplyFate(rawValue: Int32(fact.fate.rawValue)), committed: order != nil,
                        orderID: order?.text ?? ""))
            case .delivery(let stream, let sequence, let attempt, let fate, let decisions):
                .delivery(
                    BrokerDeliveryEntry(
                        streamNumber: Int64(stream), reportSequence: Int64(sequence), execID: line.execution,
                        attempt: Int32(clamping: attempt), fate: BrokerDeliveryFate(rawValue: Int32(fate.rawValue)),
                        decisions: decisions.filter(\.fired).map { BrokerDecision($0) }))
            case .control(let method, let body):
                .control(
                    BrokerControlEntry(
                        method: method,
                        body: JournalBody.text(body, BrokerControlServiceMethods.schema.method(named: method)?.input)))
            }
        self.init(
            sequence: Int64(entry.sequence), time: Google_Protobuf_Timestamp(entry.at), entry: content)
    }
}

extension BrokerRequestEntry {
    fileprivate init(_ fact: RequestFact, _ number: Int, _ attempt: Int, _ decisions: [RuleDecision]) {
        self.init(
            requestNumber: Int64(number), operation: BrokerOperation(rawValue: Int32(fact.operation.rawValue)),
            account: fact.account, clientOrderID: fact.clientOrder, attempt: Int32(clamping: attempt),
            timeLeft: fact.timeLeft.map { Google_Protobuf_Duration($0) }, metadata: fact.metadata,
            body: JournalBody.text(fact.body, fact.operation.request),
            decisions: decisions.filter(\.fired).map { BrokerDecision($0) })
    }
}

/// Requests as people read them.
enum JournalBody {
    /// The message as JSON; nothing for one without content, and a JSON string that says why when JSON cannot say it.
    static func text(_ body: [UInt8], _ schema: MessageSchema?) -> String {
        guard let schema, !body.isEmpty else { return "" }
        do {
            return try schema.json(decoding: body)
        } catch {
            return JSONValue.string("cannot be shown: \(error)").text()
        }
    }
}

extension Operation {
    /// What its requests look like.
    fileprivate var request: MessageSchema {
        switch self {
        case .placeOrder: BrokerPlaceOrderRequest.schema
        case .cancelOrder: BrokerCancelOrderRequest.schema
        case .replaceOrder: BrokerReplaceOrderRequest.schema
        case .getOrder: BrokerGetOrderRequest.schema
        case .listOrders: BrokerListOrdersRequest.schema
        case .listExecutions: BrokerListExecutionsRequest.schema
        case .streamExecutions: BrokerStreamExecutionsRequest.schema
        case .massStatus: BrokerMassStatusRequest.schema
        case .listPositions: BrokerListPositionsRequest.schema
        case .getAccount: BrokerGetAccountRequest.schema
        case .getStatement: BrokerGetStatementRequest.schema
        case .getCapabilities: BrokerGetCapabilitiesRequest.schema
        }
    }
}
