package import Domain

extension BrokerBook {
    /// Decides a request to cancel the order under `original`, made under the id of `request`. Changes nothing.
    ///
    /// The same request again is answered again. A cancel that comes too late is refused and the order stays as it is.
    package func cancel(
        _ original: ClientOrderID, request: OrderKey, at now: UnixTime
    ) -> Decision<CancelAnswer> {
        let latency = Draw(.cancelReplyLatency, seed: behavior.seed, subject: request, ordinal: 1)
            .duration(behavior.replyLatency)
        func answer(_ content: Result<BrokerOrderID, BrokerRefusal>, _ records: [BrokerRecord] = []) -> Decision<
            CancelAnswer
        > {
            Decision(records: records, answer: CancelAnswer(content: content, latency: latency))
        }
        let history = history(request)
        guard let order = order(OrderKey(account: request.account, clientOrder: original)) else {
            return answer(.failure(.unknownOrder))
        }
        if let earlier = history.canceledOrder.map({ orders[$0] }) {
            guard earlier.content.key.clientOrder == original else {
                return answer(.failure(.idReused(request.clientOrder)))
            }
            return answer(.success(earlier.id))
        }
        guard history.firstOrder == nil else { return answer(.failure(.idReused(request.clientOrder))) }
        switch order.life {
        case .filled: return answer(.failure(.alreadyFilled(order.id)))
        case .canceled: return answer(.failure(.alreadyCanceled(order.id)))
        case .expired: return answer(.failure(.alreadyExpired(order.id)))
        case .cancelPending: return answer(.failure(.cancelPending(order.id)))
        case .working: break
        }
        let delay = Draw(.cancelLatency, seed: behavior.seed, subject: request, ordinal: 1)
            .duration(behavior.cancelLatency)
        var records: [BrokerRecord] = [
            .cancelRequested(order.id, request: request.clientOrder, due: now + delay, at: now)
        ]
        // Without a delay the cancel cannot be overtaken, and the answer shows the cancelled order.
        if delay == .zero { records.append(.canceled(order.id, .request, at: now)) }
        return answer(.success(order.id), records)
    }
}
