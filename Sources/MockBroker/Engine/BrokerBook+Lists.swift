package import Domain

/// A page of an account's orders.
package struct OrderPage: Hashable, Sendable {
    package let rows: [BookView.Row]
    /// Empty when this is the last page.
    package let nextToken: String
    /// Orders on all pages.
    package let total: Int
}

extension BrokerBook {
    /// Orders of `account`, oldest first.
    ///
    /// - Parameter token: of the page before; empty for the first page.
    package func listOrders(
        of account: AccountID, onlyOpen: Bool, limit: Int, after token: String, _ view: BookView
    ) throws(BrokerRefusal) -> OrderPage {
        let last = try position(of: token, account)
        let shown = view.orders(of: account, onlyOpen: onlyOpen, in: self)
        let start = shown.firstIndex { $0 > last } ?? shown.endIndex
        let indices = shown[start...].prefix(limit)
        let isLast = start + indices.count == shown.count || view.wrongPage == .truncated
        return OrderPage(
            rows: view.page(indices.compactMap { view.row($0, in: self) }),
            nextToken: isLast ? "" : indices.last.map { self.token(after: $0) } ?? "", total: shown.count)
    }

    /// All working orders of `account`, oldest first.
    package func workingOrders(of account: AccountID, _ view: BookView) -> [BookView.Row] {
        view.orders(of: account, onlyOpen: true, in: self).compactMap { view.row($0, in: self) }
    }

    // A token names this book, and the last order of the page by its place and its id.

    private func token(after index: Int) -> String {
        "\(String(generation, radix: 16)).\(String(index, radix: 16)).\(orders[index].id)"
    }

    /// The place of the order that the token stands after; -1 for none.
    private func position(of token: String, _ account: AccountID) throws(BrokerRefusal) -> Int {
        guard !token.isEmpty else { return -1 }
        let parts = token.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, token.utf8.count <= 160, Int(parts[0], radix: 16) == generation,
            let index = Int(parts[1], radix: 16), orders.indices.contains(index)
        else { throw .unknownPageToken }
        let order = orders[index]
        guard order.content.key.account == account, order.id.text == parts[2] else { throw .unknownPageToken }
        return index
    }
}
