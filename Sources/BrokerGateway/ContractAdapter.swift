public import Contracts
internal import Limits
public import RPCCore

/// The adapter for brokers that serve `meridian.broker.v1`: the mock broker, and whoever speaks its contract.
public struct ContractAdapter: BrokerAdapter {
    public let brokerID: String
    private let client: BrokerServiceClient
    private let timeout: Duration

    /// - Parameter timeout: for one request to the broker; the caller's deadline may be earlier.
    public init(brokerID: String, channel: any RPCChannel, timeout: Duration) {
        self.brokerID = brokerID
        client = BrokerServiceClient(channel)
        self.timeout = timeout
    }

    public func capabilities() async throws -> BrokerCapabilities {
        try await client.getCapabilities(BrokerGetCapabilitiesRequest(), options: CallOptions(timeout: timeout))
    }

    public func submit(_ order: BrokerPlaceOrderRequest) async -> BrokerAnswer {
        do {
            let response = try await client.placeOrder(order, options: CallOptions(timeout: timeout))
            guard let placed = response.order, placed.clientOrderID == order.clientOrderID else {
                return .unknown(reason: "ANSWER_FOR_OTHER_ORDER", text: "the broker's answer is not about this order")
            }
            return .confirmed(placed, duplicate: response.replayed)
        } catch {
            let status = Status(describing: error)
            switch BrokerVerdict(status) {
            case .refused(let reason): return .refused(reason: reason, text: status.message)
            case .notSent(let reason): return .notSent(reason: reason, text: status.message)
            case .unknown(let reason): return .unknown(reason: reason, text: status.message)
            case .duplicate:
                // Proof of acceptance. What was accepted, the look-up says; without it the proof still stands, and
                // trading asks again.
                guard case .found(let order) = await lookUp(account: order.account, clientOrderID: order.clientOrderID)
                else {
                    return .unknown(reason: BrokerVerdict.duplicateReason, text: "accepted earlier; not yet visible")
                }
                return .confirmed(order, duplicate: true)
            }
        }
    }

    public func cancel(_ request: BrokerCancelOrderRequest) async -> BrokerAnswer {
        do {
            let response = try await client.cancelOrder(request, options: CallOptions(timeout: timeout))
            guard let order = response.order, order.clientOrderID == request.origClientOrderID else {
                return .unknown(reason: "ANSWER_FOR_OTHER_ORDER", text: "the broker's answer is not about this order")
            }
            return .confirmed(order, duplicate: false)
        } catch {
            let status = Status(describing: error)
            switch BrokerVerdict(status) {
            case .refused(let reason): return .refused(reason: reason, text: status.message)
            case .notSent(let reason): return .notSent(reason: reason, text: status.message)
            case .unknown(let reason): return .unknown(reason: reason, text: status.message)
            case .duplicate: return .unknown(reason: BrokerVerdict.duplicateReason, text: status.message)
            }
        }
    }

    public func lookUp(account: String, clientOrderID: String) async -> BrokerLookUp {
        var request = BrokerGetOrderRequest()
        request.account = account
        request.id = .clientOrderID(clientOrderID)
        do {
            let order = try await client.getOrder(request, options: CallOptions(timeout: timeout))
            guard order.clientOrderID == clientOrderID else {
                return .unreachable(text: "the broker's answer is not about this order")
            }
            return .found(order)
        } catch {
            let status = Status(describing: error)
            // NOT_FOUND counts only as the broker's own word, never as a proxy's or a missing method's.
            if status.code == .notFound, status.certainty == .answered, WireErrorDetail(status) != nil {
                return .notFound
            }
            return .unreachable(text: "\(status)")
        }
    }
}
