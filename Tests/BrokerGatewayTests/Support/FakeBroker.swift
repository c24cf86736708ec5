import Contracts
import RPCCore
import Synchronization

/// A broker that answers each request as the test's script says.
final class FakeBroker: BrokerService {
    enum Act: Sendable {
        case accept
        case replay
        case answerForOther
        case fail(Status)
        /// Until the request is cancelled.
        case hang
    }

    private struct State {
        var acts: [Act] = []
        var lookUp = Act.accept
        var placed: [BrokerPlaceOrderRequest] = []
        var cancelled: [BrokerCancelOrderRequest] = []
    }

    private let state = Mutex(State())
    /// Runs in each request to place or cancel, before the answer.
    let onRequest = Mutex<(@Sendable () async throws -> Void)?>(nil)

    var placed: [BrokerPlaceOrderRequest] { state.withLock { $0.placed } }
    var cancelled: [BrokerCancelOrderRequest] { state.withLock { $0.cancelled } }
    func plan(_ acts: Act...) { state.withLock { $0.acts += acts } }
    func planLookUps(_ act: Act) { state.withLock { $0.lookUp = act } }

    func placeOrder(
        _ request: BrokerPlaceOrderRequest, context: ServerContext
    ) async throws -> BrokerPlaceOrderResponse {
        let act = state.withLock { state in
            state.placed.append(request)
            return state.acts.isEmpty ? .accept : state.acts.removeFirst()
        }
        if let hook = onRequest.withLock({ $0 }) { try await hook() }
        let order = try await perform(act, request.clientOrderID)
        var isReplay = false
        if case .replay = act { isReplay = true }
        return BrokerPlaceOrderResponse(order: order, replayed: isReplay)
    }

    func cancelOrder(
        _ request: BrokerCancelOrderRequest, context: ServerContext
    ) async throws -> BrokerCancelOrderResponse {
        let act = state.withLock { state in
            state.cancelled.append(request)
            return state.acts.isEmpty ? .accept : state.acts.removeFirst()
        }
        if let hook = onRequest.withLock({ $0 }) { try await hook() }
        return BrokerCancelOrderResponse(order: try await perform(act, request.origClientOrderID))
    }

    func getOrder(_ request: BrokerGetOrderRequest, context: ServerContext) async throws -> BrokerOrder {
        guard case .clientOrderID(let id) = request.id else { throw Status(.invalidArgument) }
        return try await perform(state.withLock { $0.lookUp }, id)
    }

    private func perform(_ act: Act, _ id: String) async throws -> BrokerOrder {
        switch act {
        case .accept, .replay: return BrokerOrder(orderID: "B-\(id)", clientOrderID: id, ordStatus: .new)
        case .answerForOther: return BrokerOrder(orderID: "B-9", clientOrderID: "somebody-else")
        case .fail(let status): throw status
        case .hang:
            try await Task.sleep(for: .seconds(3600))
            throw CancellationError()
        }
    }

    func listExecutions(
        _ request: BrokerListExecutionsRequest, context: ServerContext
    ) async throws -> BrokerListExecutionsResponse { throw Status(.unimplemented) }

    func streamExecutions(
        _ request: BrokerStreamExecutionsRequest, responses: ResponseStream<BrokerExecutionEvent>,
        context: ServerContext
    ) async throws { throw Status(.unimplemented) }

    func getCapabilities(
        _ request: BrokerGetCapabilitiesRequest, context: ServerContext
    ) async throws -> Contracts.BrokerCapabilities { Contracts.BrokerCapabilities(brokerID: "mock") }
}
