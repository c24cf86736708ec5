import Contracts
import Domain
import Postgres
import RPCCore
import ServiceKit

/// The calls of `meridian.trading.v1.TradingService`.
struct TradingHandler: Contracts.TradingService {
    private static let defaultPage = 50
    private static let greatestPage = 500

    let ledger: Ledger
    let reception: OrderReception
    let cancels: CancelDesk
    let updates: UpdateStream

    func placeOrder(
        _ request: TradingPlaceOrderRequest, context: ServerContext
    ) async throws -> TradingPlaceOrderResponse {
        try await answering {
            let outcome = try await reception.place(request)
            return TradingPlaceOrderResponse(order: TradingOrder(outcome.record), replayed: outcome.isReplayed)
        }
    }

    func cancelOrder(
        _ request: TradingCancelOrderRequest, context: ServerContext
    ) async throws -> TradingCancelOrderResponse {
        let customer: CustomerID = try Field.id(request.customerID, "customer_id")
        let order: OrderID = try Field.id(request.orderID, "order_id")
        return try await answering {
            TradingCancelOrderResponse(order: TradingOrder(try await cancels.cancel(order, of: customer)))
        }
    }

    func getOrder(_ request: TradingGetOrderRequest, context: ServerContext) async throws -> TradingOrder {
        let customer: CustomerID = try Field.id(request.customerID, "customer_id")
        let record: LedgerOrder?
        switch request.id {
        case .orderID(let text):
            let id: OrderID = try Field.id(text, "order_id")
            record = try await answering { try await ledger.order(id) }
        case .clientOrderID(let text):
            let id: ClientOrderID = try Field.id(text, "client_order_id")
            record = try await answering { try await ledger.order(id, of: customer) }
        case nil: throw Refusal(.invalidArgument, "ID_MISSING", "either order_id or client_order_id is needed")
        }
        guard let record, record.terms.customer == customer else { throw Refusal.orderNotFound() }
        return TradingOrder(record)
    }

    func listOrders(
        _ request: TradingListOrdersRequest, context: ServerContext
    ) async throws -> TradingListOrdersResponse {
        let customer: CustomerID? =
            request.customerID.isEmpty ? nil : try Field.id(request.customerID, "customer_id")
        let before: OrderID? = request.pageToken.isEmpty ? nil : try Field.id(request.pageToken, "page_token")
        guard (0...Self.greatestPage).contains(Int(request.pageSize)) else {
            throw Refusal(
                .invalidArgument, "PAGE_SIZE_OUT_OF_RANGE", "page_size has to be 0 to \(Self.greatestPage)",
                context: ["maximum": "\(Self.greatestPage)"])
        }
        let limit = request.pageSize == 0 ? Self.defaultPage : Int(request.pageSize)
        return try await answering {
            // One more than asked for tells whether there is another page.
            let records = try await ledger.orders(of: customer, before: before, limit: limit + 1)
            let page = records.prefix(limit)
            return TradingListOrdersResponse(
                orders: page.map { TradingOrder($0) },
                nextPageToken: records.count > limit ? page.last?.id.text ?? "" : "")
        }
    }

    func streamOrderUpdates(
        _ request: TradingStreamOrderUpdatesRequest, responses: ResponseStream<TradingOrderUpdate>,
        context: ServerContext
    ) async throws {
        let customer: CustomerID = try Field.id(request.customerID, "customer_id")
        guard request.afterSequence >= 0 else {
            throw Refusal(.invalidArgument, "AFTER_SEQUENCE_NEGATIVE", "after_sequence has to be 0 or more")
        }
        try await answering { try await updates.serve(customer, after: request.afterSequence, to: responses) }
    }

    func listOrderEvents(
        _ request: TradingListOrderEventsRequest, context: ServerContext
    ) async throws -> TradingListOrderEventsResponse {
        let order: OrderID = try Field.id(request.orderID, "order_id")
        let customer: CustomerID? =
            request.customerID.isEmpty ? nil : try Field.id(request.customerID, "customer_id")
        return try await answering {
            let lines = try await ledger.postgres.query(EventsOfOrder(order: order, customer: customer))
            // Every order has its first event from the start.
            guard !lines.isEmpty else { throw Refusal.orderNotFound() }
            return TradingListOrderEventsResponse(events: lines.map { TradingOrderEvent($0) })
        }
    }

    func listPositions(
        _ request: TradingListPositionsRequest, context: ServerContext
    ) async throws -> TradingListPositionsResponse {
        let customer: CustomerID? =
            request.customerID.isEmpty ? nil : try Field.id(request.customerID, "customer_id")
        return try await answering {
            let positions =
                if let customer {
                    try await ledger.postgres.query(PositionsOfCustomer(customer: customer))
                } else {
                    try await ledger.postgres.query(PositionsOfAll())
                }
            return TradingListPositionsResponse(positions: positions.map { TradingPosition($0) })
        }
    }
}
