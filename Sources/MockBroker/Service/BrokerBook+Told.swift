internal import Contracts
internal import Domain
internal import Protobuf

/// What clients are told, which is less than the truth where the broker has no client order ids.
extension BrokerBook {
    func told(_ order: BookOrder) -> Contracts.BrokerOrder { told(Contracts.BrokerOrder(order)) }

    /// An order as a look-up or list shows it.
    func told(_ row: BookView.Row) -> Contracts.BrokerOrder {
        var order = Contracts.BrokerOrder(row.order)
        order.ordStatus = WireOrdStatus(row.status)
        order.cumQty = WireDecimal(row.filled)
        order.leavesQty = WireDecimal(row.leaves)
        return told(order)
    }

    /// The report with this sequence.
    func toldReport(_ sequence: Int) -> BrokerSequencedReport {
        var sequenced = report(sequence)
        guard !behavior.hasClientIDs else { return sequenced }
        sequenced.report?.clientOrderID = ""
        sequenced.report?.origClientOrderID = ""
        return sequenced
    }

    private func told(_ order: Contracts.BrokerOrder) -> Contracts.BrokerOrder {
        guard !behavior.hasClientIDs else { return order }
        var order = order
        order.clientOrderID = ""
        order.origClientOrderID = ""
        return order
    }
}

extension BrokerAccount {
    init(_ account: AccountID, _ book: AccountBook, unsettled: Money) {
        self.init(
            account: account.text, cash: WireMoney(book.balance.cash), unsettled: WireMoney(unsettled),
            commissions: WireMoney(book.balance.commissions))
    }
}

extension [BrokerPosition] {
    /// Without those that are zero, in order of symbol.
    init(_ account: AccountID, _ shares: [InstrumentID: Quantity]) {
        self = shares.filter { !$0.value.isZero }.sorted { $0.key < $1.key }
            .map { BrokerPosition(account: account.text, symbol: $0.text, qty: WireDecimal($1)) }
    }
}
