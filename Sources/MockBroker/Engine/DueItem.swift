package import Domain

/// Something that the broker will do by itself at a time.
package struct DueItem: Hashable, Comparable, Sendable {
    /// What falls due. At one instant a halt comes before fills, and fills before requests and ends, so that a fill wins
    /// the race against a cancel, a replacement or the close.
    package enum Kind: Hashable, Sendable {
        /// Finds out when a resting order can trade.
        case look(watch: Int)
        /// A resting order can trade.
        case touch(watch: Int)
        /// The part of the plan with this index.
        case fill(part: Int)
        /// The commission of the execution with this index in `BrokerBook.executions`; and so on.
        case charge(execution: Int)
        case correct(execution: Int)
        case bust(execution: Int)
        case replace
        case cancel
        /// The end of an immediate-or-cancel order whose plan is done.
        case remainder
        case turn(OrderTurn.Kind)
        case expire

        fileprivate var rank: (Int, Int) {
            switch self {
            case .turn(.suspend): (0, 0)
            case .turn(.resume): (1, 0)
            case .look(let watch): (2, watch)
            case .touch(let watch): (3, watch)
            case .fill(let part): (4, part)
            case .charge(let execution): (5, execution)
            case .correct(let execution): (6, execution)
            case .bust(let execution): (7, execution)
            case .replace: (8, 0)
            case .cancel: (9, 0)
            case .remainder: (10, 0)
            case .turn(let turn): (11, Int(turn.rawValue))
            case .expire: (12, 0)
            }
        }
    }

    package let at: UnixTime
    package let kind: Kind
    /// Index in `BrokerBook.orders`.
    package let order: Int

    var isLook: Bool {
        switch kind {
        case .look: true
        case .touch, .fill, .charge, .correct, .bust, .replace, .cancel, .remainder, .turn, .expire: false
        }
    }

    package static func < (a: DueItem, b: DueItem) -> Bool {
        guard a.at == b.at else { return a.at < b.at }
        let (kindOfA, kindOfB) = (a.kind.rank, b.kind.rank)
        return (kindOfA.0, a.order, kindOfA.1) < (kindOfB.0, b.order, kindOfB.1)
    }
}
