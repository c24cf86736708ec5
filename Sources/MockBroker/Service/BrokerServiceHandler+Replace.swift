internal import Contracts
internal import Domain
internal import Logging
internal import Protobuf
internal import RPCCore
internal import ServiceKit

extension BrokerServiceHandler {
    func replaceOrder(
        _ request: BrokerReplaceOrderRequest, context: ServerContext
    ) async throws -> BrokerReplaceOrderResponse {
        let wanted = Self.reading {
            let key = try OrderKey(account: request.account, clientOrder: request.clientOrderID)
            let target = try OrderName(
                account: key.account, originalClientOrder: request.origClientOrderID, order: request.orderID)
            return (key: key, target: target, terms: try ReplaceTerms(request))
        }
        let venue = core.venue
        let fact = RequestFact(
            .replaceOrder, request, context, account: request.account, clientOrder: request.clientOrderID)
        do {
            let response = try await pipeline.run(fact, context) { book, arrival, now throws(BrokerRefusal) in
                let wanted = try wanted.get()
                return try book.replace(
                    wanted.target, by: wanted.terms, request: wanted.key, arrival, at: now, venue)
            } order: { id in
                id
            } reply: { book, id in
                BrokerReplaceOrderResponse(order: book.order(id).map { book.told($0) })
            }
            environment.log.info(
                "replace.accepted",
                metadata: [
                    "client_order_id": "\(request.origClientOrderID)", "request_id": "\(request.clientOrderID)",
                ])
            return response
        } catch {
            log(error, "replace", fact)
            throw error
        }
    }
}

extension ReplaceTerms {
    /// Reads a request; what it says is judged by the book.
    fileprivate init(_ request: BrokerReplaceOrderRequest) throws {
        guard let quantity = request.orderQty else {
            throw BrokerRefusal.invalidField(path: "order_qty", reason: "ORDER_QTY_MISSING", problem: "is missing")
        }
        self.init(
            quantity: try Quantity(quantity, field: "order_qty"),
            limit: try request.price.map { try Price($0, field: "price") })
    }
}
