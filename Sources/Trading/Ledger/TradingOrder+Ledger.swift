import Contracts
import Domain
import Protobuf

extension TradingOrder {
    /// The order as callers see it now.
    init(_ record: LedgerOrder) {
        let order = record.order
        self.init(
            id: order.id, terms: order.terms, status: order.status, cumQuantity: order.cumQuantity,
            averagePrice: order.averagePrice)
        leavesQty = WireDecimal(order.leavesQuantity)
        holdAmount = record.holdRemaining.map { WireMoney($0) }
        reason = order.reason?.rawValue ?? ""
        text = record.reasonText
        version = record.version
        brokerOrderID = order.submission.brokerOrder?.text ?? ""
        attempts = Int32(clamping: order.submission.attempts)
        createdAt = Google_Protobuf_Timestamp(record.createdAt)
        updatedAt = Google_Protobuf_Timestamp(record.updatedAt)
        exchangeID = record.exchange?.id.text ?? ""
    }

    /// The order as it was right after one of its events.
    init(_ view: OrderView) {
        self.init(
            orderID: view.id.text, clientOrderID: view.clientOrder, customerID: view.customer.text,
            accountID: view.account, symbol: view.symbol, side: WireSide(view.side),
            ordType: WireOrdType(view.type.name), orderQty: WireDecimal(view.quantity),
            price: view.type.limitPrice.map { WireDecimal($0) }, timeInForce: WireTimeInForce(view.timeInForce),
            ordStatus: WireOrdStatus(view.status), cumQty: WireDecimal(view.cumQuantity),
            leavesQty: WireDecimal(view.leavesQuantity), avgPx: view.averagePrice.map { WireDecimal($0) },
            holdAmount: view.holdRemaining.map { WireMoney($0) }, reason: view.reason, text: view.reasonText,
            version: view.version, brokerOrderID: view.brokerOrder, attempts: Int32(clamping: view.attempts),
            createdAt: Google_Protobuf_Timestamp(view.createdAt), updatedAt: Google_Protobuf_Timestamp(view.updatedAt),
            exchangeID: view.exchange)
    }

    private init(
        id: OrderID, terms: OrderTerms, status: OrderStatus, cumQuantity: Quantity, averagePrice: Price?
    ) {
        self.init(
            orderID: id.text, clientOrderID: terms.clientOrder.text, customerID: terms.customer.text,
            accountID: terms.account.text, symbol: terms.instrument.text, side: WireSide(terms.side),
            ordType: WireOrdType(terms.type.name), orderQty: WireDecimal(terms.quantity),
            price: terms.type.limitPrice.map { WireDecimal($0) }, timeInForce: WireTimeInForce(terms.timeInForce),
            ordStatus: WireOrdStatus(status), cumQty: WireDecimal(cumQuantity),
            avgPx: averagePrice.map { WireDecimal($0) })
    }
}

extension OrderView {
    var leavesQuantity: Quantity {
        status.isFinal ? .zero : Quantity(unscaled: max(0, quantity.unscaled - cumQuantity.unscaled))
    }
}

extension WireOrdStatus {
    init(_ status: OrderStatus) {
        switch status {
        case .pendingNew: self = .pendingNew
        case .new: self = .new
        case .partiallyFilled: self = .partiallyFilled
        case .filled: self = .filled
        case .pendingCancel: self = .pendingCancel
        case .canceled: self = .canceled
        case .rejected: self = .rejected
        case .expired: self = .expired
        case .denied: self = .denied
        case .unconfirmed: self = .unconfirmed
        case .needsReview: self = .needsReview
        }
    }
}

extension TradingOrderEvent {
    init(_ line: EventsOfOrder.Line) {
        self.init(
            version: line.version, kind: line.kind, detail: line.detail, ordStatus: WireOrdStatus(line.status),
            at: Google_Protobuf_Timestamp(line.at))
    }
}

extension TradingPosition {
    init(_ position: SharePosition) {
        self.init(
            accountID: position.key.account.text, symbol: position.key.instrument.text,
            qty: WireDecimal(position.quantity), cost: WireMoney(position.cost))
    }
}
