internal import Contracts
internal import Domain
internal import Protobuf

extension Contracts.BrokerOrder {
    init(_ order: BookOrder) {
        let content = order.content
        self.init(
            orderID: order.shownID.text, clientOrderID: content.key.clientOrder.text, account: content.key.account.text,
            symbol: content.symbol.text, side: WireSide(content.side), ordType: WireOrdType(content.type.name),
            orderQty: WireDecimal(content.quantity), price: content.type.limitPrice.map { WireDecimal($0) },
            timeInForce: WireTimeInForce(content.timeInForce), ordStatus: WireOrdStatus(order.status),
            cumQty: WireDecimal(order.filled), leavesQty: WireDecimal(order.leaves),
            transactTime: Google_Protobuf_Timestamp(order.acceptedAt),
            origClientOrderID: order.replacedClientOrder?.text ?? "")
    }
}

extension BookOrder {
    /// The order as it was when it was accepted: the first answer.
    var original: BookOrder { BookOrder(id: id, content: placed, ordinal: ordinal, acceptedAt: acceptedAt) }
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
        case .pendingReplace: self = .pendingReplace
        case .suspended: self = .suspended
        case .rejected: self = .rejected
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
        case .rejected: self = .rejected
        case .replaced: self = .replaced
        case .suspended: self = .suspended
        case .restated: self = .restated
        case .tradeCancel: self = .tradeCancel
        case .tradeCorrect: self = .tradeCorrect
        }
    }
}

extension BrokerBook {
    /// The report with this sequence, as it travels.
    func report(_ sequence: Int) -> BrokerSequencedReport {
        let entry = feed[sequence - 1]
        let order = orders[entry.order]
        let hasShares = entry.lastQuantity.isPositive
        let report = BrokerExecutionReport(
            execID: order.executionID(ordinal: entry.ordinal).text,
            execRefID: entry.reference.map { order.executionID(ordinal: $0).text } ?? "",
            execType: WireExecType(entry.kind),
            ordStatus: WireOrdStatus(entry.status), orderID: entry.orderID.text,
            clientOrderID: entry.clientOrder.text, account: order.content.key.account.text,
            symbol: order.content.symbol.text, side: WireSide(order.content.side),
            lastQty: hasShares ? WireDecimal(entry.lastQuantity) : nil,
            lastPx: hasShares ? WireDecimal(entry.lastPrice) : nil, cumQty: WireDecimal(entry.filled),
            leavesQty: WireDecimal(entry.leaves), commission: entry.commission.map { order.template.shown($0) },
            tradeDate: entry.tradeDate?.description ?? "", transactTime: Google_Protobuf_Timestamp(entry.at),
            text: text(entry), traceparent: order.traceparent,
            origClientOrderID: entry.replacedClientOrder?.text ?? "")
        return BrokerSequencedReport(sequence: Int64(sequence), cursor: cursor(after: sequence), report: report)
    }

    private func text(_ entry: FeedEntry) -> String {
        switch (entry.kind, entry.cause) {
        case (.canceled, .notMarketable): "could not fill at once"
        case (.canceled, .remainder): "the rest could not fill at once"
        case (.canceled, .request): "cancelled on request"
        case (.expired, _): "the session is over"
        case (.canceled, nil), (.new, _), (.trade, _), (.rejected, _), (.replaced, _), (.suspended, _), (.restated, _),
            (.tradeCancel, _), (.tradeCorrect, _):
            entry.text
        }
    }
}

extension FillTemplate {
    /// A commission as its reports show it.
    fileprivate func shown(_ commission: Money) -> WireMoney {
        WireMoney(
            currency: commissionCurrency.isEmpty ? commission.currency.code : commissionCurrency,
            minor: commission.minorUnits)
    }
}
