public import Contracts

/// One broker as the gateway sees it. A new broker is a new adapter and a capability record; trading does not change.
///
/// Every method ends by its deadline and never throws: what cannot be known is an answer of its own.
public protocol BrokerAdapter: Sendable {
    /// Our name for the broker.
    var brokerID: String { get }
    func capabilities() async throws -> BrokerCapabilities
    /// Sends the order once.
    func submit(_ order: BrokerPlaceOrderRequest) async -> BrokerAnswer
    /// Sends the cancel once.
    func cancel(_ request: BrokerCancelOrderRequest) async -> BrokerAnswer
    func lookUp(account: String, clientOrderID: String) async -> BrokerLookUp
}

/// What is known after a request to a broker.
public enum BrokerAnswer: Sendable, Hashable {
    case confirmed(BrokerOrder, duplicate: Bool)
    /// The broker proves that it will never do it.
    case refused(reason: String, text: String)
    /// Nobody knows yet.
    case unknown(reason: String, text: String)
    /// Certainly not done, and the same request may go again.
    case notSent(reason: String, text: String)
}

/// What a broker says about an order.
public enum BrokerLookUp: Sendable, Hashable {
    case found(BrokerOrder)
    case notFound
    /// It could not be asked: no information.
    case unreachable(text: String)
}
