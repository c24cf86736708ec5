package import Domain

/// What a report of the feed tells.
package enum ReportKind: UInt8, Hashable, Sendable {
    /// The order works.
    case new = 1
    /// Shares changed hands.
    case trade
    case canceled
    case expired
}

/// One report, as the book keeps it. Its sequence is its place in `BrokerBook.feed`, counted from 1.
package struct FeedEntry: Hashable, Sendable {
    /// Index in `BrokerBook.orders`.
    package let order: Int
    /// Counts the reports of the order from 1.
    package let ordinal: Int
    package let kind: ReportKind
    package let status: BookOrderStatus
    /// Zero unless shares changed hands.
    package let lastQuantity: Quantity
    package let lastPrice: Price
    package let filled: Quantity
    package let leaves: Quantity
    package let commission: Money
    /// The New York date; nil unless shares changed hands.
    package let tradeDate: CivilDate?
    package let cause: CancelCause?
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

    /// ExecID (17) of the order's n-th report.
    package func executionID(ordinal: Int) -> BrokerExecutionID {
        BrokerExecutionID(derivedFrom: "mock-execution", id.text, String(ordinal))
    }
}
