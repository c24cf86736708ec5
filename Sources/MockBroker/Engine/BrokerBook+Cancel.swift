package import Domain

extension BrokerBook {
    /// Decides a request to cancel an order, made under the id of `request`. Changes nothing.
    ///
    /// The same request again is answered again, unless the broker has no client order ids. A cancel that comes too late is refused and the order stays as it is.
    package func cancel(
        _ target: OrderName, request: OrderKey, _ arrival: Arrival = .uneventful, at now: UnixTime
    ) throws(BrokerRefusal) -> Decision<BrokerOrderID> {
        let place = try find(target, path: "orig_client_order_id")
        let order = orders[place]
        if behavior.hasClientIDs {
            let history = history(request)
            if let earlier = history.canceledOrder {
                guard earlier == place else { throw .idReused(request.clientOrder) }
                return Decision(records: [], answer: order.id)
            }
            guard history.lastOrder == nil else { throw .idReused(request.clientOrder) }
        }
        switch order.life {
        case .filled: throw .alreadyFilled(order.id)
        case .canceled: throw .alreadyCanceled(order.id)
        case .expired: throw .alreadyExpired(order.id)
        case .cancelPending: throw .cancelPending(order.id)
        case .working: break
        }
        var delay: Int64 = 0
        switch arrival.orderFault {
        case (.refuse(let reason, let text), _)?: throw .told(reason, text)
        case (.slow, let values)?: delay = values.first ?? 0
        case nil: break
        }
        var records: [BrokerRecord] = [
            .cancelRequested(order.id, request: request.clientOrder, due: now + .microseconds(delay), at: now)
        ]
        // Without a delay the cancel cannot be overtaken, and the answer shows the cancelled order.
        if delay == 0 { records.append(.canceled(order.id, .request, at: now)) }
        return Decision(records: records, answer: order.id)
    }
}
