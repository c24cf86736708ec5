import Contracts
import Domain
import RPCCore

/// What the gateway's answer to an attempt means for the order.
enum SubmitVerdict: Hashable, Sendable {
    /// The broker has it.
    case confirmed(BrokerOrderView, isDuplicate: Bool)
    /// The broker proves that it will never have it.
    case refused(ReasonCode, text: String)
    /// Nobody knows.
    case unknown(reason: String)
    /// It certainly never left.
    case notSent(reason: String)

    init(_ response: GatewaySubmitOrderResponse, order: OrderID) {
        switch response.outcome {
        case .confirmed:
            if let view = BrokerOrderView(response.order, of: order) {
                self = .confirmed(view, isDuplicate: response.duplicate)
            } else if response.order == nil, response.duplicate {
                // "I know this id" proves acceptance, even without the order.
                self = .confirmed(
                    BrokerOrderView(brokerOrder: nil, status: .working, cumQuantity: .zero), isDuplicate: true)
            } else {
                self = .unknown(reason: "UNREADABLE_CONFIRMATION")
            }
        case .refused:
            self = .refused(
                ReasonCode(rawValue: response.reason.isEmpty ? "REJECTED" : response.reason), text: response.text)
        case .unknown: self = .unknown(reason: response.reason.isEmpty ? "UNKNOWN" : response.reason)
        case .notSent: self = .notSent(reason: response.reason.isEmpty ? "NOT_SENT" : response.reason)
        case .unspecified, .unrecognized: self = .unknown(reason: "OUTCOME_MISSING")
        }
    }

    /// A call that failed is unknown, unless it provably never reached the gateway.
    init(failed status: Status) {
        switch status.outcome {
        case .definitelyNotDone: self = .notSent(reason: status.reason)
        case .definitelyDone, .unknown, .unspecified, .unrecognized: self = .unknown(reason: status.reason)
        }
    }
}

/// What the gateway's answer to a cancel means for the order.
enum CancelVerdict: Hashable, Sendable {
    /// The broker took the request on.
    case taken
    /// The order goes on, or is over already.
    case refused(ReasonCode)
    /// The broker does not know the order.
    case noOrder
    /// Nobody knows, or it was not sent: the same request again.
    case unknown(reason: String)

    init(_ response: GatewayCancelResponse) {
        switch response.outcome {
        case .confirmed: self = .taken
        case .refused where Self.noOrderReasons.contains(response.reason): self = .noOrder
        case .refused: self = .refused(ReasonCode(rawValue: response.reason.isEmpty ? "REFUSED" : response.reason))
        case .unknown, .notSent: self = .unknown(reason: response.reason.isEmpty ? "UNKNOWN" : response.reason)
        case .unspecified, .unrecognized: self = .unknown(reason: "OUTCOME_MISSING")
        }
    }

    private static let noOrderReasons: Set<String> = ["UNKNOWN_ORDER", "ORDER_NOT_FOUND", "NOT_FOUND"]
}

/// What a look-up told.
enum LookUpVerdict: Hashable, Sendable {
    case found(BrokerOrderView)
    case notFound
    /// No information.
    case failed(reason: String)

    init(_ response: GatewayLookUpOrderResponse, order: OrderID) {
        switch response.result {
        case .found:
            if let view = BrokerOrderView(response.order, of: order) {
                self = .found(view)
            } else {
                self = .failed(reason: "UNREADABLE_ORDER")
            }
        case .notFound: self = .notFound
        case .unreachable: self = .failed(reason: response.text.isEmpty ? "UNREACHABLE" : response.text)
        case .unspecified, .unrecognized: self = .failed(reason: "RESULT_MISSING")
        }
    }
}

extension BrokerOrderView {
    /// The broker's view of our order; nil when the message is missing, tells of another order, or cannot be read.
    init?(_ wire: BrokerOrder?, of order: OrderID) {
        guard let wire, wire.clientOrderID == order.text else { return nil }
        let status: Status
        switch wire.ordStatus {
        case .new, .pendingNew, .partiallyFilled, .pendingCancel, .pendingReplace, .suspended: status = .working
        case .filled: status = .filled
        case .canceled: status = .canceled
        case .expired: status = .expired
        case .rejected: status = .rejected("REJECTED_BY_BROKER")
        case .unspecified, .denied, .unconfirmed, .needsReview, .unrecognized: return nil
        }
        var cumQuantity = Quantity.zero
        if let wire = wire.cumQty {
            guard let told = try? Quantity(wire, field: "cum_qty"), !told.isNegative else { return nil }
            cumQuantity = told
        }
        self.init(brokerOrder: BrokerOrderID(rawValue: wire.orderID), status: status, cumQuantity: cumQuantity)
    }

    /// Whether it says no more than that the order works.
    var isPlainAcceptance: Bool { status == .working && cumQuantity.isZero }
}

extension BrokerPlaceOrderRequest {
    /// The order as every attempt sends it: a function of the order alone.
    init(_ order: Order) {
        let terms = order.terms
        self.init(
            clientOrderID: order.id.text, account: terms.account.text, symbol: terms.instrument.text,
            side: WireSide(terms.side), ordType: WireOrdType(terms.type.name),
            orderQty: WireDecimal(terms.quantity), price: terms.type.limitPrice.map { WireDecimal($0) },
            timeInForce: WireTimeInForce(terms.timeInForce))
    }
}

extension Domain.BrokerCapabilities {
    /// The record that the gateway tells; what it leaves out is taken from `fallback`, never assumed to be better.
    init(_ wire: Contracts.BrokerCapabilities, fallback: Domain.BrokerCapabilities) {
        self = fallback
        switch wire.idempotencyMode {
        case .returnOriginal: idempotencyMode = .returnOriginal
        case .rejectDuplicate: idempotencyMode = .rejectDuplicate
        case .echoOnly, .none, .unspecified, .unrecognized: idempotencyMode = .echoOnly
        }
        deduplicationWindow = .seconds(max(0, wire.dedupWindowSeconds))
        visibilityDelay = .milliseconds(max(0, wire.visibilityDelayMilliseconds))
        looksUpByClientID = wire.lookupByClientID
        cancelsByClientID = wire.cancelByClientID
        identifiesExecutions = wire.execIDSupported
        resumesFromCursor = wire.cursorSupported
        if wire.idMaxLength > 0 { maximumIDLength = Int(wire.idMaxLength) }
        let types = wire.ordTypes.compactMap(\.domain)
        let times = wire.timesInForce.compactMap(\.domain)
        if !types.isEmpty, !times.isEmpty {
            orderKinds = Set(types.flatMap { type in times.map { OrderKind(type, $0) } })
        }
    }
}
