import Contracts
import Domain
import RPCCore

/// A well-formed request for an order. Whether it may be placed is decided by the rules, not here.
struct OrderRequest: Hashable, Sendable {
    let terms: OrderTerms
    let fundingAccount: AccountID?

    /// Equal for two requests if and only if everything they ask for is equal.
    var fingerprint: String {
        var hash = StableHash()
        hash.combine("order-request-1")
        hash.combine(terms.fingerprint)
        hash.combine(fundingAccount?.text ?? "")
        return hash.hexadecimal
    }

    /// - Parameter currency: in which the instrument trades, or the one assumed of an unknown one.
    /// - Throws: `Refusal` INVALID_ARGUMENT, each defect with a reason of its own. Nothing was done.
    init(_ wire: TradingPlaceOrderRequest, currency: (InstrumentID) -> Currency) throws(Refusal) {
        let customer: CustomerID = try Field.id(wire.customerID, "customer_id")
        let clientOrder: ClientOrderID = try Field.id(wire.clientOrderID, "client_order_id")
        let account: AccountID = try Field.id(wire.accountID, "account_id")
        let symbol: InstrumentID = try Field.id(wire.symbol, "symbol")
        fundingAccount = wire.fundingAccountID.isEmpty ? nil : try Field.id(wire.fundingAccountID, "funding_account_id")
        let side = try Field.value(wire.side.domain, "side")
        let name = try Field.value(wire.ordType.domain, "ord_type")
        let quantity = try Quantity(try Field.value(wire.orderQty, "order_qty"), field: "order_qty")
        let type: OrderType
        switch name {
        case .limit: type = .limit(try Price(try Field.value(wire.price, "price"), field: "price"))
        case .market:
            guard wire.price == nil else {
                throw Refusal(.invalidArgument, "PRICE_NOT_ALLOWED", "a market order has no price")
            }
            type = .market
        }
        let timeInForce =
            wire.timeInForce == .unspecified ? .day : try Field.value(wire.timeInForce.domain, "time_in_force")
        terms = OrderTerms(
            customer: customer, account: account, clientOrder: clientOrder, instrument: symbol,
            currency: currency(symbol), side: side, type: type, timeInForce: timeInForce, quantity: quantity)
    }
}

/// Reads single fields of requests.
enum Field {
    /// - Throws: `Refusal` with `<FIELD>_EMPTY`, `<FIELD>_TOO_LONG` or `<FIELD>_MALFORMED`.
    static func id<Kind: IDKind>(_ text: String, _ field: String) throws(Refusal) -> ID<Kind> {
        do {
            return try ID(text)
        } catch {
            let suffix =
                switch error {
                case .empty: "EMPTY"
                case .tooLong: "TOO_LONG"
                case .forbiddenCharacter: "MALFORMED"
                }
            throw Refusal(
                .invalidArgument, "\(field.uppercased())_\(suffix)", "\(field): \(error)", context: ["field": field])
        }
    }

    /// - Throws: `Refusal` with `<FIELD>_MISSING` when there is no value, or none that this version knows.
    static func value<Value>(_ value: Value?, _ field: String) throws(Refusal) -> Value {
        guard let value else {
            throw Refusal(
                .invalidArgument, "\(field.uppercased())_MISSING", "\(field) is missing or unknown",
                context: ["field": field])
        }
        return value
    }
}

extension Denial {
    /// What the caller is told: nothing was done, and the same request is refused again as long as the rule stands.
    var refusal: Refusal {
        switch reason {
        case .marketClosed, .limitOrdersOnly, .killSwitchEngaged, .instrumentHalted, .instrumentNotTradable,
            .noReferencePrice:
            Refusal(.failedPrecondition, reason.rawValue, message, context: context)
        default: Refusal(.invalidArgument, reason.rawValue, message, context: context)
        }
    }
}
