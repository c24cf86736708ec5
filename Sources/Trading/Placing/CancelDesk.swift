import Contracts
import Domain
import RPCCore

/// Takes wishes to cancel on. What has never been sent ends at once; for the rest the broker is asked, and the order's
/// status tells what became of it.
struct CancelDesk: Sendable {
    let ledger: Ledger

    /// - Returns: the order with the wish recorded; repeating the wish changes nothing.
    /// - Throws: `Refusal` ORDER_NOT_FOUND, or ORDER_IS_FINAL when there is nothing left to cancel.
    func cancel(_ id: OrderID, of customer: CustomerID) async throws -> LedgerOrder {
        try await ledger.change([id]) { change in
            guard change.contains(id), change[id].terms.customer == customer else { throw Refusal.orderNotFound() }
            let order = change[id].order
            if case .closed(.canceled) = order.lifecycle { return change[id] }
            let hadNoHold = order.hold == nil && order.holdAmount != nil
            do {
                try change.apply(.cancelRequested(at: change.at), to: id, detail: "by the customer")
            } catch let error as InvalidTransition where error.problem == .notInThisState {
                throw Refusal(
                    .failedPrecondition, "ORDER_IS_FINAL", "the order is \(order.status.rawValue) already",
                    context: ["order_id": id.text, "ord_status": order.status.rawValue])
            }
            if case .closed = change[id].order.lifecycle {
                change.remove(work: WorkItem.brokerKey(id))
                change.remove(work: WorkItem.receiveKey(id))
                // A request to hold may be under way: it is sealed, or what it held is given back.
                if hadNoHold { change.schedule(.release, id.releaseKey, of: id, at: change.at) }
            }
            return change[id]
        }
    }
}
