import Contracts
import Limits
import RPCCore
import Synchronization

/// The trading service as the door sees it: notes what it is asked, and answers as the test says.
final class FakeTrading: TradingService {
    private struct State {
        var failure: Status?
        var placed: [TradingPlaceOrderRequest] = []
        var customers: [String] = []
        var openStreams = 0
    }

    private let state = Mutex(State())

    var placed: [TradingPlaceOrderRequest] { state.withLock { $0.placed } }
    /// On whose behalf each call came.
    var customers: [String] { state.withLock { $0.customers } }
    var openStreams: Int { state.withLock { $0.openStreams } }
    func fail(with failure: Status?) { state.withLock { $0.failure = failure } }

    private func enter(_ customer: String) throws {
        try state.withLock { state in
            state.customers.append(customer)
            if let failure = state.failure { throw failure }
        }
    }

    private static func order(_ id: String) -> TradingOrder {
        TradingOrder(orderID: id, clientOrderID: "client-\(id)", symbol: "AAPL", version: 1)
    }

    func placeOrder(
        _ request: TradingPlaceOrderRequest, context: ServerContext
    ) async throws -> TradingPlaceOrderResponse {
        state.withLock { $0.placed.append(request) }
        try enter(request.customerID)
        return TradingPlaceOrderResponse(order: Self.order("order-1"), replayed: placed.count > 1)
    }

    func cancelOrder(
        _ request: TradingCancelOrderRequest, context: ServerContext
    ) async throws -> TradingCancelOrderResponse {
        try enter(request.customerID)
        return TradingCancelOrderResponse(order: Self.order(request.orderID))
    }

    func getOrder(_ request: TradingGetOrderRequest, context: ServerContext) async throws -> TradingOrder {
        try enter(request.customerID)
        guard case .orderID(let id) = request.id else { return Self.order("by-client-id") }
        return Self.order(id)
    }

    func listOrders(
        _ request: TradingListOrdersRequest, context: ServerContext
    ) async throws -> TradingListOrdersResponse {
        try enter(request.customerID)
        return TradingListOrdersResponse(orders: [Self.order("order-1")], nextPageToken: "\(request.pageSize)")
    }

    func streamOrderUpdates(
        _ request: TradingStreamOrderUpdatesRequest, responses: ResponseStream<TradingOrderUpdate>,
        context: ServerContext
    ) async throws {
        try enter(request.customerID)
        state.withLock { $0.openStreams += 1 }
        defer { state.withLock { $0.openStreams -= 1 } }
        for sequence in (request.afterSequence + 1)...(request.afterSequence + 3) {
            try await responses.write(TradingOrderUpdate(sequence: sequence, order: Self.order("order-1")))
        }
        // From here on nothing happens until the caller leaves.
        try await Task.sleep(for: .seconds(3600))
    }

    func listOrderEvents(
        _ request: TradingListOrderEventsRequest, context: ServerContext
    ) async throws -> TradingListOrderEventsResponse { throw Status(.unimplemented) }

    func listPositions(
        _ request: TradingListPositionsRequest, context: ServerContext
    ) async throws -> TradingListPositionsResponse {
        try enter(request.customerID)
        return TradingListPositionsResponse(positions: [TradingPosition(accountID: "usd-1", symbol: "AAPL")])
    }
}
