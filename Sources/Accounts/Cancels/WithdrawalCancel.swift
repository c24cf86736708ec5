import Contracts
import Domain
import EventBus
import Protobuf
import RPCCore

/// The wish to give a withdrawal back, as it came over the bus.
struct WithdrawalCancel: Sendable, Hashable {
    static let topic = "withdrawal-cancels"
    static let resultTopic = "withdrawal-cancelled"

    let exchange: ExchangeID
    let key: OperationKey
    let account: AccountID
    let amount: Money

    /// Throws what the payload lacks or has wrong: the event will never be readable.
    init(_ envelope: EventEnvelope) throws {
        let event = try EventWithdrawalCancelRequested(decoding: envelope.payload)
        exchange = try ExchangeID(event.exchangeID, field: "exchange_id")
        key = try OperationKey(event.operationKey, field: "operation_key")
        account = try AccountID(customers: event.accountID)
        guard let wire = event.amount else {
            throw Refusal(.invalidArgument, "FIELD_MISSING", "amount is missing", context: ["field": "amount"])
        }
        amount = try Money(wire, field: "amount")
    }

    /// The result, an event whose id says what it tells: the same result is the same event.
    func result(_ outcome: OperationOutcome, traceparent: String?) -> EventEnvelope {
        let result = EventWithdrawalCancelled(
            exchangeID: exchange.text, operationKey: key.text, outcome: outcome.name)
        var headers: [String: String] = [:]
        headers["traceparent"] = traceparent
        return EventEnvelope(
            id: EventID(derivedFrom: Self.resultTopic, exchange.text, key.text, outcome.name).text,
            topic: Self.resultTopic, key: exchange.text, payload: result.encoded(), headers: headers, occurredAt: 0)
    }
}
