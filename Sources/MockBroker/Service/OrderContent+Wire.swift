internal import Contracts
internal import Domain

extension OrderContent {
    /// Reads a request; what it says is judged by the book.
    init(_ request: BrokerPlaceOrderRequest) throws {
        let key = try OrderKey(account: request.account, clientOrder: request.clientOrderID)
        guard let side = request.side.domain else {
            throw BrokerRefusal.invalidField(path: "side", reason: "SIDE_UNSUPPORTED", problem: "is missing or unknown")
        }
        guard let typeName = request.ordType.domain else {
            throw BrokerRefusal.invalidField(
                path: "ord_type", reason: "ORD_TYPE_UNSUPPORTED", problem: "is missing or unknown")
        }
        guard let timeInForce = request.timeInForce.domain else {
            throw BrokerRefusal.invalidField(
                path: "time_in_force", reason: "TIME_IN_FORCE_UNSUPPORTED", problem: "is missing or unknown")
        }
        guard let quantity = request.orderQty else {
            throw BrokerRefusal.invalidField(path: "order_qty", reason: "ORDER_QTY_MISSING", problem: "is missing")
        }
        let type: OrderType
        switch (typeName, request.price) {
        case (.market, nil): type = .market
        case (.market, _?):
            throw BrokerRefusal.invalidField(
                path: "price", reason: "PRICE_NOT_ALLOWED", problem: "does not belong to a market order")
        case (.limit, nil):
            throw BrokerRefusal.invalidField(
                path: "price", reason: "PRICE_MISSING", problem: "belongs to a limit order")
        case (.limit, let price?): type = .limit(try Price(price, field: "price"))
        }
        self.init(
            key: key, symbol: try .reading(request.symbol, "symbol", "SYMBOL_INVALID"), side: side, type: type,
            quantity: try Quantity(quantity, field: "order_qty"), timeInForce: timeInForce)
    }
}

extension OrderKey {
    /// - Parameter path: of the client order id.
    init(account: String, clientOrder: String, path: String = "client_order_id") throws(BrokerRefusal) {
        self.init(
            account: try .reading(account, "account", "ACCOUNT_INVALID"),
            clientOrder: try .reading(clientOrder, path, "CLIENT_ORDER_ID_INVALID"))
    }
}

extension ID {
    /// - Throws: a refusal with `reason` that names the field and says what is wrong with the text.
    static func reading(_ text: String, _ path: String, _ reason: ReasonCode) throws(BrokerRefusal) -> ID {
        do throws(InvalidID) {
            return try ID(text)
        } catch {
            throw .invalidField(path: path, reason: reason, problem: "is no id: \(error)")
        }
    }
}
