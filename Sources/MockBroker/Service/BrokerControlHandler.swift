internal import Contracts
internal import Domain
internal import Logging
internal import RPCCore
internal import ServiceKit

/// What a test may tell and ask the broker. Never served on the port that clients of the broker use.
struct BrokerControlHandler: BrokerControlService {
    let core: BrokerCore
    let environment: ServiceEnvironment

    func setBehavior(_ request: BrokerSetBehaviorRequest, context: ServerContext) async throws -> BrokerBehavior {
        guard let wire = request.behavior else {
            throw BrokerRefusal.invalidField(path: "behavior", reason: "BEHAVIOR_MISSING", problem: "is missing")
        }
        let behavior: Behavior
        do { behavior = try Behavior(wire) } catch { throw BrokerRefusal.invalidBehavior(error) }
        try await core.perform { book, now throws(BrokerRefusal) in
            Decision(records: try book.setBehavior(behavior, .control, at: now), answer: ())
        } then: { _, _ in
        }
        environment.log.info("behavior.set", metadata: ["seed": "\(behavior.seed)"])
        return BrokerBehavior(behavior)
    }

    func getBehavior(_ request: BrokerGetBehaviorRequest, context: ServerContext) async throws -> BrokerBehavior {
        try await core.read { book, _ throws(BrokerRefusal) in BrokerBehavior(book.behavior) }
    }

    func getTruth(_ request: BrokerGetTruthRequest, context: ServerContext) async throws -> BrokerTruth {
        let account: AccountID? =
            request.account.isEmpty ? nil : try .reading(request.account, "account", "ACCOUNT_INVALID")
        for (path, value) in [
            ("after_order", request.afterOrder), ("after_sequence", request.afterSequence),
            ("limit", Int64(request.limit)),
        ] where value < 0 {
            throw BrokerRefusal.invalidField(path: path, reason: "PAGE_INVALID", problem: "must not be negative")
        }
        return try await core.read { book, _ throws(BrokerRefusal) in
            book.truth(
                of: account, afterOrder: Int(request.afterOrder), afterSequence: Int(request.afterSequence),
                limit: request.limit == 0 ? .max : Int(request.limit))
        }
    }

    func fillOrder(_ request: BrokerFillOrderRequest, context: ServerContext) async throws -> BrokerFillOrderResponse {
        let id: ClientOrderID = try .reading(request.clientOrderID, "client_order_id", "CLIENT_ORDER_ID_INVALID")
        let account: AccountID? =
            request.account.isEmpty ? nil : try .reading(request.account, "account", "ACCOUNT_INVALID")
        let quantity = try request.qty.map { try Quantity($0, field: "qty") }
        let price = try request.price.map { try Price($0, field: "price") }
        let rules = core.rules
        let report = try await core.perform { book, now throws(BrokerRefusal) in
            let record = try book.fillByHand(id, account: account, quantity: quantity, price: price, at: now, rules)
            return Decision(records: [record], answer: ())
        } then: { book, _ in
            book.report(book.feed.count)
        }
        return BrokerFillOrderResponse(report: report)
    }

    func setPrice(_ request: BrokerSetPriceRequest, context: ServerContext) async throws -> BrokerSetPriceResponse {
        let symbol: InstrumentID = try .reading(request.symbol, "symbol", "SYMBOL_INVALID")
        guard let wire = request.price else {
            throw BrokerRefusal.invalidField(path: "price", reason: "PRICE_MISSING", problem: "is missing")
        }
        let price = try Price(wire, field: "price")
        let touched = try await core.perform { book, now throws(BrokerRefusal) in
            let records = try book.setPrice(symbol, price, at: now)
            return Decision(records: records, answer: records.count - 1)
        } then: { _, touched in
            touched
        }
        environment.log.info("price.set", metadata: ["symbol": "\(symbol)", "price": "\(price)"])
        return BrokerSetPriceResponse(touchedOrders: Int32(clamping: touched))
    }
}

extension BrokerBook {
    /// A page of everything there is; nil means all accounts.
    fileprivate func truth(of account: AccountID?, afterOrder: Int, afterSequence: Int, limit: Int) -> BrokerTruth {
        let reportEnd = afterSequence + min(limit, max(0, feed.count - afterSequence))
        let sequences = afterSequence < reportEnd ? Array(afterSequence + 1...reportEnd) : []
        func isWanted(_ other: AccountID) -> Bool { account == nil || account == other }
        return BrokerTruth(
            orders: orders.dropFirst(afterOrder).prefix(limit).filter { isWanted($0.content.key.account) }
                .map { Contracts.BrokerOrder($0) },
            reports: sequences.filter { isWanted(orders[feed[$0 - 1].order].content.key.account) }.map(report),
            positions: positions.filter { isWanted($0.key.account) }
                .sorted { ($0.key.account.text, $0.key.symbol.text) < ($1.key.account.text, $1.key.symbol.text) }
                .map { BrokerPosition(account: $0.account.text, symbol: $0.symbol.text, qty: WireDecimal($1)) },
            placeAttempts: Int64(placeAttempts), lostReplies: Int64(lostReplies), orderCount: Int64(orders.count),
            lastSequence: Int64(feed.count))
    }
}
