/// A call that clients of the broker make.
package enum Operation: UInt8, Hashable, Sendable, CaseIterable {
    case placeOrder = 1
    case cancelOrder, replaceOrder, getOrder, listOrders, listExecutions, streamExecutions, massStatus
    case listPositions, getAccount, getStatement, getCapabilities

    /// Calls that change the books.
    static let changes: Set<Operation> = [.placeOrder, .cancelOrder, .replaceOrder]
    /// Calls that show orders and what became of them.
    static let views: Set<Operation> = [
        .getOrder, .listOrders, .listExecutions, .massStatus, .listPositions, .getAccount, .getStatement,
    ]
}
