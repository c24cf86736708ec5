internal import Contracts
internal import Domain
internal import Limits
internal import Protobuf
internal import RPCCore

extension RequestFact {
    /// Pairs of metadata that are kept of one request, and bytes of each value.
    private static let pairLimit = 32
    private static let valueLimitBytes = 256
    /// What is never written anywhere.
    private static let secrets: Set<String> = ["authorization", "proxy-authorization", "cookie", "x-api-key"]

    /// What a call brought.
    init(
        _ operation: Operation, _ request: some Message, _ context: ServerContext, account: String = "",
        clientOrder: String = "", order: String = ""
    ) {
        var metadata: [String: String] = [:]
        for element in context.metadata where metadata.count < Self.pairLimit {
            guard case .text(let text) = element.value, !Self.secrets.contains(element.key) else { continue }
            guard text.utf8.count <= Self.valueLimitBytes else { continue }
            metadata[element.key] = metadata[element.key] ?? text
        }
        self.init(
            operation: operation, account: account, clientOrder: clientOrder, order: order,
            timeLeft: context.deadline.map { ContinuousClock.now.duration(to: $0.instant) }, metadata: metadata,
            body: request.encoded())
    }

    /// A request that names these. Texts that are no ids do not name anything: they do not get attempts of their own.
    init(
        operation: Operation, account: String, clientOrder: String, order: String = "", timeLeft: Duration? = nil,
        metadata: [String: String] = [:], body: [UInt8] = []
    ) {
        let account = AccountID(rawValue: account)?.text ?? ""
        let clientOrder = ClientOrderID(rawValue: clientOrder)?.text ?? ""
        let order = BrokerOrderID(rawValue: order)?.text ?? ""
        let subject =
            if !clientOrder.isEmpty {
                "order:\(account)/\(clientOrder)"
            } else if !order.isEmpty {
                "order-id:\(account)/\(order)"
            } else if !account.isEmpty {
                "account:\(account)"
            } else {
                "broker"
            }
        self.init(
            operation: operation, subject: subject, account: account, clientOrder: clientOrder, timeLeft: timeLeft,
            metadata: metadata, body: body)
    }
}
