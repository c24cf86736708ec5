import Domain

/// A report about executions as the ledger booked it.
struct StoredExecution: Hashable, Sendable {
    enum Kind: String, Sendable {
        case trade = "TRADE"
        /// `reference` is void.
        case bust = "BUST"
        /// This one stands in the place of `reference`.
        case correction = "CORRECTION"
    }

    let broker: BrokerID
    /// The broker's own id of the report.
    let execution: BrokerExecutionID
    let order: OrderID
    /// Place among the order's reports, from 1, in the order of booking.
    let ordinal: Int64
    let kind: Kind
    /// The broker's id of the execution that a bust or a correction is about.
    let reference: BrokerExecutionID?
    /// Zero for a bust.
    let quantity: Quantity
    /// Zero for a bust.
    let price: Price
    let fee: Money
    let brokerCumQuantity: Quantity?
    /// The New York date, YYYY-MM-DD, as the broker told it.
    let tradeDate: String
    let transactTime: UnixTime
    let receiverSequence: Int64

    /// Ours: a function of the broker and its id.
    var id: ExecutionID { ExecutionID(broker: broker, execution: execution) }

    private var asExecution: Execution {
        Execution(
            id: id, quantity: quantity, price: price, fee: fee, brokerCumQuantity: brokerCumQuantity,
            transactTime: transactTime)
    }

    /// What the order's state machine is told.
    var event: OrderEvent {
        switch kind {
        case .trade: .filled(asExecution)
        case .bust: .busted(referenceID, by: id)
        case .correction: .corrected(referenceID, with: asExecution)
        }
    }

    /// What an order's book is rebuilt from.
    var report: ExecutionReport {
        switch kind {
        case .trade: .trade(asExecution)
        case .bust: .bust(referenceID, by: id)
        case .correction: .correction(referenceID, with: asExecution)
        }
    }

    private var referenceID: ExecutionID {
        guard let reference else { preconditionFailure("the schema gives every bust and correction a reference") }
        return ExecutionID(broker: broker, execution: reference)
    }
}
