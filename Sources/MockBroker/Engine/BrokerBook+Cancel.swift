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
            guard history.lastOrder == nil, history.replacement == nil else { throw .idReused(request.clientOrder) }
        }
        try order.refuseUnlessWorking()
        try arrival.refuse()
        let delay = arrival.slowness
        var records: [BrokerRecord] = [
            .cancelRequested(order.id, request: request.clientOrder, due: now + delay, at: now)
        ]
        // Without a delay the cancel cannot be overtaken, and the answer shows the cancelled order.
        if delay == .zero { records.append(.canceled(order.id, .request, at: now)) }
        return Decision(records: records, answer: order.id)
    }
}

extension BookOrder {
    /// Only a working order takes requests: each other state refuses them with a reason of its own.
    func refuseUnlessWorking() throws(BrokerRefusal) {
        switch life {
        case .working: break
        case .suspended: throw .suspended(shownID)
        case .cancelPending: throw .cancelPending(shownID)
        case .replacePending: throw .replacePending(shownID)
        case .filled, .canceled, .expired, .rejected: try refuseIfClosed()
        }
    }

    func refuseIfClosed() throws(BrokerRefusal) {
        switch life {
        case .working, .suspended, .cancelPending, .replacePending: break
        case .filled: throw .alreadyFilled(shownID)
        case .canceled: throw .alreadyCanceled(shownID)
        case .expired: throw .alreadyExpired(shownID)
        case .rejected: throw .alreadyRejected(shownID)
        }
    }
}
