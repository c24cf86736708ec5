internal import Contracts
internal import Domain
internal import Protobuf

extension Contracts.BrokerOrder {
    init(_ order: BookOrder) {
        let content = order.content
        self.init(
            orderID: order.id.text, clientOrderID: content.key.clientOrder.text, account: content.key.account.text,
            symbol: content.symbol.text, side: WireSide(content.side), ordType: WireOrdType(content.type.name),
            orderQty: WireDecimal(content.quantity), price: content.type.limitPrice.map { WireDecimal($0) },
            timeInForce: WireTimeInForce(content.timeInForce), ordStatus: WireOrdStatus(order.status),
            cumQty: WireDecimal(order.filled), leavesQty: WireDecimal(order.leaves),
            transactTime: Google_Protobuf_Timestamp(order.acceptedAt))
    }
}

extension BookOrder {
    /// The order as it was when it was accepted: the first answer.
    var original: BookOrder { BookOrder(id: id, content: content, ordinal: ordinal, acceptedAt: acceptedAt) }
}

extension WireOrdStatus {
    init(_ status: BookOrderStatus) {
        switch status {
        case .new: self = .new
        case .partiallyFilled: self = .partiallyFilled
        case .filled: self = .filled
        case .pendingCancel: self = .pendingCancel
        case .canceled: self = .canceled
        case .expired: self = .expired
        }
    }
}

extension WireExecType {
    init(_ kind: ReportKind) {
        switch kind {
        case .new: self = .new
        case .trade: self = .trade
        case .canceled: self = .canceled
        case .expired: self = .expired
        }
    }
}

extension BrokerBook {
    /// The report with this sequence, as it travels.
    func report(_ sequence: Int) -> BrokerSequencedReport {
        let entry = feed[sequence - 1]
        let order = orders[entry.order]
        let isTrade = entry.kind == .trade
        let report = BrokerExecutionReport(
            execID: order.executionID(ordinal: entry.ordinal).text, execType: WireExecType(entry.kind),
            ordStatus: WireOrdStatus(entry.status), orderID: order.id.text,
            clientOrderID: order.content.key.clientOrder.text, account: order.content.key.account.text,
            symbol: order.content.symbol.text, side: WireSide(order.content.side),
            lastQty: isTrade ? WireDecimal(entry.lastQuantity) : nil,
            lastPx: isTrade ? WireDecimal(entry.lastPrice) : nil, cumQty: WireDecimal(entry.filled),
            leavesQty: WireDecimal(entry.leaves), commission: isTrade ? WireMoney(entry.commission) : nil,
            tradeDate: entry.tradeDate?.description ?? "", transactTime: Google_Protobuf_Timestamp(entry.at),
            text: text(entry), traceparent: order.traceparent)
        return BrokerSequencedReport(sequence: Int64(sequence), cursor: cursor(after: sequence), report: report)
    }

    private func text(_ entry: FeedEntry) -> String {
        switch (entry.kind, entry.cause) {
        case (.canceled, .notMarketable): "could not fill at once"
        case (.canceled, .request), (.canceled, nil): "cancelled on request"
        case (.expired, _): "the session is over"
        case (.new, _), (.trade, _): ""
        }
    }
}
