package import Domain

/// Something that the broker will do by itself at a time.
package struct DueItem: Hashable, Comparable, Sendable {
    /// What falls due. At one instant fills come first, so that a fill wins the race against a cancel or the close.
    package enum Kind: UInt8, Hashable, Sendable {
        /// Finds out when a resting order can trade.
        case look = 0
        /// A resting order can trade.
        case touch
        case fill
        case cancel
        case expire
    }

    package let at: UnixTime
    package let kind: Kind
    /// Index in `BrokerBook.orders`.
    package let order: Int
    /// Of the plan, for fills; of the watch, for looks and touches.
    package let part: Int

    package static func < (a: DueItem, b: DueItem) -> Bool {
        (a.at, a.kind.rawValue, a.order, a.part) < (b.at, b.kind.rawValue, b.order, b.part)
    }
}
