internal import Domain

/// Where the orders of each account are in `BrokerBook.orders`, which of them are open, and where each one's reports are.
struct OrderIndex: Sendable {
    private var all: [AccountID: [Int]] = [:]
    private var open: [AccountID: Set<Int>] = [:]
    /// The sequence of each order's last report; 0 before the first.
    private var lastReport: [Int] = []
    /// For each report the sequence of its order's report before it; 0 for the first.
    private var reportBefore: [Int] = []

    mutating func add(_ index: Int, of account: AccountID) {
        all[account, default: []].append(index)
        open[account, default: []].insert(index)
        lastReport.append(0)
    }

    mutating func note(_ index: Int, of account: AccountID, isOpen: Bool) {
        if isOpen { open[account]?.insert(index) } else { open[account]?.remove(index) }
    }

    /// Takes note of the next report of the feed.
    mutating func addReport(of index: Int) {
        reportBefore.append(lastReport[index])
        lastReport[index] = reportBefore.count
    }

    /// Oldest first.
    func orders(of account: AccountID) -> [Int] { all[account] ?? [] }
    /// In no order.
    func openOrders(of account: AccountID) -> Set<Int> { open[account] ?? [] }

    /// The sequences of the order's reports, latest first.
    func reports(of index: Int) -> some Sequence<Int> {
        sequence(first: lastReport[index]) { reportBefore[$0 - 1] }.prefix { $0 > 0 }
    }
}
