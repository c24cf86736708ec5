package import Domain

/// Which order a request is about.
package enum OrderName: Hashable, Sendable {
    case client(OrderKey)
    case broker(AccountID, BrokerOrderID)
}

extension BrokerBook {
    /// Where the order of that name in its account is in `orders`; of several under one client id, the latest.
    ///
    /// - Parameter path: of the client order id, which some brokers do not have.
    package func find(_ name: OrderName, path: String) throws(BrokerRefusal) -> Int {
        let found: Int?
        switch name {
        case .client(let key):
            guard behavior.hasClientIDs else { throw .clientIDsUnsupported(path: path) }
            found = place(of: key)
        case .broker(let account, let id):
            found = place(of: id).flatMap { orders[$0].content.key.account == account ? $0 : nil }
        }
        guard let found else { throw .unknownOrder }
        return found
    }
}

extension Behavior {
    /// Whether client order ids mean anything to the broker.
    package var hasClientIDs: Bool { idempotencyMode != .absent }
}
