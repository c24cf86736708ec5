package import Domain

/// What a report of the feed tells.
package enum ReportKind: UInt8, Hashable, Sendable, CaseIterable {
    /// The order works.
    case new = 1
    /// Shares changed hands.
    case trade
    case canceled
    case expired
    /// The order was refused after all.
    case rejected
    /// Terms and name of the order changed as asked.
    case replaced
    /// The order is halted.
    case suspended
    /// Nobody asked: the order works again, an execution's commission, or nothing new at all.
    case restated
    /// An execution is void.
    case tradeCancel
    /// An execution stands for another quantity or price.
    case tradeCorrect
}

/// One report, as the book keeps it. Its sequence is its place in `BrokerBook.feed`, counted from 1.
package struct FeedEntry: Hashable, Sendable {
    /// Index in `BrokerBook.orders`.
    package let order: Int
    /// Counts the reports of the order from 1.
    package let ordinal: Int
    package let kind: ReportKind
    package let status: BookOrderStatus
    /// OrderID (37) and ClOrdID (11) as they were then.
    package let orderID: BrokerOrderID
    package let clientOrder: ClientOrderID
    /// OrigClOrdID (41) of a replacement.
    package let replacedClientOrder: ClientOrderID?
    /// OrderQty (38) as it was then.
    package let quantity: Quantity
    /// The earlier report of the order that this one is about, by its ordinal.
    package let reference: Int?
    /// Zero unless shares changed hands, or turn out to have done otherwise.
    package let lastQuantity: Quantity
    package let lastPrice: Price
    package let filled: Quantity
    package let leaves: Quantity
    /// Of the execution; nil when the report says nothing about it.
    package let commission: Money?
    /// The New York date of the execution.
    package let tradeDate: CivilDate?
    package let cause: CancelCause?
    /// For people; empty where the kind says it all.
    package let text: String
    package let at: UnixTime
}

/// A place in the feed as clients hold it: opaque to them, and tied to the report it follows, so that the cursor of
/// another book is recognised.
package enum FeedCursor {
    /// The cursor right after the report with this sequence and execution id.
    static func text(sequence: Int, execution: BrokerExecutionID) -> String {
        String(sequence, radix: 16) + "." + execution.text
    }

    /// The sequence and the execution id that the text names, or nil when it was not made here.
    static func parse(_ text: String) -> (sequence: Int, execution: Substring)? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 160 else { return nil }
        guard let sequence = Int(parts[0], radix: 16), sequence > 0 else { return nil }
        return (sequence, parts[1])
    }
}

extension BookOrder {
    /// OrderID (37): a function of what the order is, so that timing does not change it.
    static func id(for key: OrderKey, ordinal: Int) -> BrokerOrderID {
        BrokerOrderID(derivedFrom: "mock-order", key.account.text, key.clientOrder.text, String(ordinal))
    }

    /// The OrderID (37) that a replacement under this request gives it, when it gives one.
    func newID(for request: ClientOrderID) -> BrokerOrderID {
        BrokerOrderID(derivedFrom: "mock-replacement", id.text, request.text)
    }

    /// ExecID (17) of the order's n-th report.
    package func executionID(ordinal: Int) -> BrokerExecutionID {
        BrokerExecutionID(derivedFrom: "mock-execution", id.text, String(ordinal))
    }
}
