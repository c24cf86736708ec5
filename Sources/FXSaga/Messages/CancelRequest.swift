internal import Contracts
internal import Domain
internal import EventBus
internal import Protobuf

extension EventEnvelope {
    /// The message that gives a withdrawal back, as the driver of this epoch sends it.
    ///
    /// Each epoch has an id of its own: a consumer that knows the message of an earlier one answers this one all the same,
    /// so that a lost answer is told again.
    init(cancelling exchange: ExchangeSnapshot, epoch: Int64) {
        let message = EventWithdrawalCancelRequested(
            exchangeID: exchange.id.text, operationKey: exchange.withdrawKey.text, accountID: exchange.source.text,
            amount: WireMoney(exchange.price.sell))
        self.init(
            id: "\(exchange.id.text)/cancel/\(epoch)", topic: Topic.withdrawalCancels.rawValue, key: exchange.id.text,
            payload: message.encoded(),
            headers: exchange.traceparent.isEmpty ? [:] : ["traceparent": exchange.traceparent],
            occurredAt: 0)  // The outbox notes the time of the database.
    }
}
