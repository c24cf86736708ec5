package import Domain

/// What the book makes of a request: the records that have to be applied and written, and the answer.
package struct Decision<Answer: Sendable>: Sendable {
    package let records: [BrokerRecord]
    package let answer: Answer
}

/// The answer to an attempt to place an order, and what becomes of it on its way.
package struct PlaceAnswer: Sendable {
    package enum Content: Sendable {
        case accepted(BrokerOrderID)
        /// The order was known: its first answer again.
        case replayed(BrokerOrderID)
        case refused(BrokerRefusal)
        /// The broker never read the request.
        case requestLost
    }

    package let content: Content
    package let fate: ReplyFate
}

/// What becomes of a reply.
package enum ReplyFate: Hashable, Sendable {
    case deliver(after: Duration)
    /// It never leaves: the caller learns nothing.
    case lose
}

/// The answer to a cancel request: the order it is about, or why it cannot be cancelled.
package struct CancelAnswer: Sendable {
    package let content: Result<BrokerOrderID, BrokerRefusal>
    package let latency: Duration
}
