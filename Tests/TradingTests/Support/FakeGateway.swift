import Contracts
import Domain
import Protobuf
import RPCCore
import Synchronization

/// A broker behind a gateway: it keeps its truth, and does to each attempt what the test's script says.
final class FakeGateway: BrokerGatewayService {
    /// What happens to one attempt.
    enum Act: Sendable {
        case accept
        /// The broker has it; its answer is lost.
        case loseReply
        /// It never arrives, and nobody knows.
        case loseRequest
        case refuse(String)
        /// The gateway certainly did not send it.
        case notSent
        /// The call itself fails.
        case fail(Status)
        /// Waits until the test opens the gate, then accepts.
        case hold
    }

    struct Attempt: Sendable {
        let order: BrokerPlaceOrderRequest
        let number: Int
    }

    private struct State {
        var acts: [Act] = []
        var cancelActs: [Act] = []
        var attempts: [Attempt] = []
        var cancels: [GatewayCancelRequest] = []
        var lookUps = 0
        var isLookUpDown = false
        /// By client order id.
        var orders: [String: BrokerOrder] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isOpen = false
    }

    private let state = Mutex(State())
    private let capabilities = Contracts.BrokerCapabilities(
        brokerID: "mock", idempotencyMode: .returnOriginal, dedupWindowSeconds: 86_400, idMaxLength: 36,
        lookupByClientID: true, visibilityDelayMilliseconds: 500, cancelByClientID: true, execIDSupported: true,
        cursorSupported: true, ordTypes: [.market, .limit], timesInForce: [.day, .gtc, .ioc, .fok])

    init(_ acts: [Act] = []) { state.withLock { $0.acts = acts } }

    // MARK: What the test does and sees

    func plan(_ acts: Act...) { state.withLock { $0.acts += acts } }
    func planCancels(_ acts: Act...) { state.withLock { $0.cancelActs += acts } }
    func lookUpsFail(_ fail: Bool) { state.withLock { $0.isLookUpDown = fail } }
    /// From here on everything works.
    func calm() {
        state.withLock { state in
            state.acts = []
            state.cancelActs = []
            state.isLookUpDown = false
        }
    }
    var attempts: [Attempt] { state.withLock { $0.attempts } }
    var cancels: [GatewayCancelRequest] { state.withLock { $0.cancels } }
    var lookUps: Int { state.withLock { $0.lookUps } }
    var orders: [String: BrokerOrder] { state.withLock { $0.orders } }

    /// Lets attempts that are held go on, now and later.
    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// The broker takes an order that no attempt of ours has brought, as if one had.
    func accept(_ order: BrokerPlaceOrderRequest) { state.withLock { _ = Self.accept(order, &$0) } }

    // MARK: The service

    func submitOrder(
        _ request: GatewaySubmitOrderRequest, context: ServerContext
    ) async throws -> GatewaySubmitOrderResponse {
        guard let order = request.order else { throw Status(.invalidArgument, "no order") }
        let act = state.withLock { state in
            state.attempts.append(Attempt(order: order, number: Int(request.attempt)))
            return state.acts.isEmpty ? Act.accept : state.acts.removeFirst()
        }
        switch act {
        case .accept: return confirmed(order)
        case .hold:
            await waitForGate()
            return confirmed(order)
        case .loseReply:
            state.withLock { _ = Self.accept(order, &$0) }
            return GatewaySubmitOrderResponse(outcome: .unknown, reason: "DEADLINE_EXCEEDED")
        case .loseRequest: return GatewaySubmitOrderResponse(outcome: .unknown, reason: "DEADLINE_EXCEEDED")
        case .refuse(let reason): return GatewaySubmitOrderResponse(outcome: .refused, reason: reason, text: "no")
        case .notSent: return GatewaySubmitOrderResponse(outcome: .notSent, reason: "CIRCUIT_OPEN")
        case .fail(let status): throw status
        }
    }

    func cancelOrder(_ request: GatewayCancelRequest, context: ServerContext) async throws -> GatewayCancelResponse {
        let (act, known) = state.withLock { state in
            state.cancels.append(request)
            let act = state.cancelActs.isEmpty ? Act.accept : state.cancelActs.removeFirst()
            return (act, state.orders[request.cancel?.origClientOrderID ?? ""])
        }
        switch act {
        case .accept, .hold:
            guard let known else { return GatewayCancelResponse(outcome: .refused, reason: "UNKNOWN_ORDER") }
            return GatewayCancelResponse(outcome: .confirmed, order: known)
        case .loseReply, .loseRequest: return GatewayCancelResponse(outcome: .unknown, reason: "DEADLINE_EXCEEDED")
        case .refuse(let reason): return GatewayCancelResponse(outcome: .refused, reason: reason)
        case .notSent: return GatewayCancelResponse(outcome: .notSent, reason: "CIRCUIT_OPEN")
        case .fail(let status): throw status
        }
    }

    func lookUpOrder(
        _ request: GatewayLookUpOrderRequest, context: ServerContext
    ) async throws -> GatewayLookUpOrderResponse {
        state.withLock { state in
            state.lookUps += 1
            guard !state.isLookUpDown else { return GatewayLookUpOrderResponse(result: .unreachable, text: "down") }
            guard let order = state.orders[request.clientOrderID] else {
                return GatewayLookUpOrderResponse(result: .notFound)
            }
            return GatewayLookUpOrderResponse(result: .found, order: order)
        }
    }

    func getCapabilities(
        _ request: GatewayGetCapabilitiesRequest, context: ServerContext
    ) async throws -> Contracts.BrokerCapabilities { capabilities }

    private func confirmed(_ order: BrokerPlaceOrderRequest) -> GatewaySubmitOrderResponse {
        let (known, isDuplicate) = state.withLock { Self.accept(order, &$0) }
        return GatewaySubmitOrderResponse(outcome: .confirmed, order: known, duplicate: isDuplicate)
    }

    private static func accept(_ order: BrokerPlaceOrderRequest, _ state: inout State) -> (BrokerOrder, Bool) {
        if let known = state.orders[order.clientOrderID] { return (known, true) }
        let accepted = BrokerOrder(
            orderID: "B\(state.orders.count + 1)", clientOrderID: order.clientOrderID, account: order.account,
            symbol: order.symbol, side: order.side, ordType: order.ordType, orderQty: order.orderQty,
            price: order.price, timeInForce: order.timeInForce, ordStatus: .new,
            cumQty: WireDecimal(Quantity.zero), leavesQty: order.orderQty)
        state.orders[order.clientOrderID] = accepted
        return (accepted, false)
    }

    private func waitForGate() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard !state.isOpen else { return true }
                state.waiting.append(continuation)
                return false
            }
            if isOpen { continuation.resume() }
        }
    }
}
