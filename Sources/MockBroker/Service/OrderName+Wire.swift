internal import Contracts
internal import Domain

extension OrderName {
    init(_ request: BrokerGetOrderRequest) throws(BrokerRefusal) {
        let account: AccountID = try .reading(request.account, "account", "ACCOUNT_INVALID")
        switch request.id {
        case .clientOrderID(let text): self = .client(try OrderKey(account: request.account, clientOrder: text))
        case .orderID(let text): self = .broker(account, try .reading(text, "order_id", "ORDER_ID_INVALID"))
        case nil: throw .invalidField(path: "id", reason: "ORDER_ID_MISSING", problem: "is missing")
        }
    }

    /// The order that is to be cancelled or replaced: exactly one of the two ids is set.
    init(account: AccountID, originalClientOrder: String, order: String) throws(BrokerRefusal) {
        guard !order.isEmpty else {
            let original: ClientOrderID = try .reading(
                originalClientOrder, "orig_client_order_id", "CLIENT_ORDER_ID_INVALID")
            self = .client(OrderKey(account: account, clientOrder: original))
            return
        }
        guard originalClientOrder.isEmpty else {
            throw .invalidField(
                path: "order_id", reason: "ORDER_ID_AMBIGUOUS", problem: "comes together with orig_client_order_id")
        }
        self = .broker(account, try .reading(order, "order_id", "ORDER_ID_INVALID"))
    }
}
