package import Domain

/// What a look-up or list sees of the book: all of it, or what rules leave.
package struct BookView: Sendable {
    package let now: UnixTime
    /// Orders are hidden for this long after their acceptance.
    var hidden: Duration
    /// Nil shows the state of now.
    var staleTime: UnixTime?
    var forgetsClosedAfter: Duration?
    var wrongPage: WrongPage?

    /// An order as it is shown.
    package struct Row: Hashable, Sendable {
        package let order: BookOrder
        package let status: BookOrderStatus
        package let filled: Quantity
        package let leaves: Quantity
    }

    package init(_ behavior: Behavior, _ arrival: Arrival = .uneventful, at now: UnixTime) {
        self.now = now
        hidden = behavior.visibilityDelay
        for firing in arrival.firings {
            guard case .visibility(let fault) = firing.action else { continue }
            switch fault {
            case .hidden:
                let value = firing.values.first ?? 0
                let isReleased = value != LatencyDistribution.untilReleased
                hidden = max(hidden, isReleased ? .microseconds(value) : Behavior.longestWindow)
            case .stale(let age): staleTime = now - age
            case .wrongPage(let kind): wrongPage = kind
            case .forgetClosed(let after): forgetsClosedAfter = after
            }
        }
    }

    /// Whether every order is shown as it is.
    private var isPlain: Bool { hidden == .zero && staleTime == nil && forgetsClosedAfter == nil }

    /// The order as it is shown; nil when it is not.
    package func row(_ index: Int, in book: borrowing BrokerBook) -> Row? {
        let order = book.orders[index]
        guard now >= order.acceptedAt + hidden else { return nil }
        if let forgetsClosedAfter, !order.isOpen,
            let last = book.orderIndex.reports(of: index).first(where: { _ in true }),
            now >= book.feed[last - 1].at + forgetsClosedAfter
        {
            return nil
        }
        guard let staleTime else {
            return Row(order: order, status: order.status, filled: order.filled, leaves: order.leaves)
        }
        guard let sequence = book.orderIndex.reports(of: index).first(where: { book.feed[$0 - 1].at <= staleTime })
        else {
            return nil
        }
        let entry = book.feed[sequence - 1]
        return Row(order: order, status: entry.status, filled: entry.filled, leaves: entry.leaves)
    }

    /// Where the orders are that are shown, oldest first.
    func orders(of account: AccountID, onlyOpen: Bool, in book: borrowing BrokerBook) -> [Int] {
        if isPlain {
            return onlyOpen ? book.orderIndex.openOrders(of: account).sorted() : book.orderIndex.orders(of: account)
        }
        if onlyOpen, staleTime == nil {
            return book.orderIndex.openOrders(of: account).sorted().filter { row($0, in: book) != nil }
        }
        return book.orderIndex.orders(of: account).filter { index in
            guard let row = row(index, in: book) else { return false }
            return !onlyOpen || !row.leaves.isZero
        }
    }

    /// The account as it is shown; nil when it was never used.
    package func account(_ account: AccountID, in book: borrowing BrokerBook) -> AccountBook? {
        guard let found = book.accounts.book(of: account), let staleTime else {
            return book.accounts.book(of: account)
        }
        return found.after { $0.at <= staleTime }
    }

    /// A page as it is shown.
    package func page<Element>(_ rows: [Element]) -> [Element] {
        switch wrongPage {
        case nil: rows
        case .truncated: Array(rows.prefix((rows.count + 1) / 2))
        case .repeated: rows.prefix(1) + rows
        case .reordered: rows.reversed()
        }
    }
}
