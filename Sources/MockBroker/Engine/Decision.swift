package import Domain

/// What the book makes of a request: the records that have to be applied and written, and the answer.
package struct Decision<Answer: Sendable>: Sendable {
    package let records: [BrokerRecord]
    package let answer: Answer

    package init(records: [BrokerRecord], answer: Answer) {
        self.records = records
        self.answer = answer
    }
}

/// The answer to an attempt to place an order.
package enum PlaceAnswer: Hashable, Sendable {
    case accepted(BrokerOrderID)
    /// The order was known: its first answer again.
    case replayed(BrokerOrderID)

    package var order: BrokerOrderID {
        switch self {
        case .accepted(let id), .replayed(let id): id
        }
    }
}
