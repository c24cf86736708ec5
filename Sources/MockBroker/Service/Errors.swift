internal import Contracts
package import Domain
package import RPCCore

/// The table of what the broker refuses: the code, a stable reason for programs, and what the caller may do.
extension BrokerRefusal: StatusConvertible {
    package var status: Status { refusal.status }

    /// A stable upper-case code.
    package var reason: ReasonCode { ReasonCode(rawValue: refusal.reason) }

    var refusal: Contracts.Refusal {
        switch self {
        case .invalidField(let path, let reason, let problem):
            wrong(reason, "\(path) \(problem)", ["field": path])
        case .unknownSymbol(let symbol):
            wrong("UNKNOWN_SYMBOL", "\(symbol) does not trade here", ["field": "symbol", "symbol": symbol.text])
        case .quantityTooLarge(let limit):
            wrong(
                "ORDER_QTY_TOO_LARGE", "order_qty is above \(limit) shares",
                ["field": "order_qty", "limit": "\(limit)"])
        case .priceOffTick(let tick):
            wrong("PRICE_OFF_TICK", "price is no multiple of \(tick)", ["field": "price", "tick": "\(tick)"])
        case .priceOutOfRange:
            wrong("PRICE_OUT_OF_RANGE", "price is above \(BookRules.maximumPriceDollars) dollars", ["field": "price"])
        case .positionLimit:
            state("POSITION_LIMIT_EXCEEDED", "the account has ordered too many shares of this symbol")
        case .insufficientBuyingPower(let needed, let available):
            state(
                "INSUFFICIENT_BUYING_POWER", "the order may cost more than the account has",
                ["needed": needed.text, "available": available.text])
        case .insufficientShares(let available):
            state(
                "INSUFFICIENT_SHARES", "the account does not have so many shares", ["available": "\(available)"])
        case .clientIDsUnsupported(let path):
            Refusal(
                .unimplemented, "CLIENT_ORDER_ID_UNSUPPORTED", "this broker has no client order ids",
                context: ["field": path])

        // Proof that the first attempt was accepted; the same id will always be answered like this.
        case .duplicateID(let order, let status):
            Refusal(
                .alreadyExists, "DUPLICATE_CLIENT_ORDER_ID", "an order with this id is known",
                certainty: .definitelyDone, retry: .never,
                context: ["order_id": order.text, "ord_status": "\(status)"])
        case .idReused(let id):
            Refusal(
                .alreadyExists, "CLIENT_ORDER_ID_REUSED", "another request was made under this id",
                context: ["client_order_id": id.text])

        // About the order and not the look-up: an order that was not found may still be under way or not visible yet.
        case .unknownOrder:
            Refusal(
                .notFound, "UNKNOWN_ORDER", "no such order is known", certainty: .unknown, retry: .askFirst)
        case .alreadyFilled(let order): state("ALREADY_FILLED", "the order is filled", ["order_id": order.text])
        case .alreadyCanceled(let order): state("ALREADY_CANCELED", "the order is cancelled", ["order_id": order.text])
        case .alreadyExpired(let order): state("ALREADY_EXPIRED", "the order has expired", ["order_id": order.text])
        case .alreadyRejected(let order):
            state("ALREADY_REJECTED", "the order was rejected", ["order_id": order.text])
        case .replacePending(let order):
            state("REPLACE_PENDING", "a replace request is on its way", ["order_id": order.text])
        case .suspended(let order): state("ORDER_SUSPENDED", "the order is halted", ["order_id": order.text])
        case .idOutdated(let latest):
            state(
                "ORIG_CLIENT_ORDER_ID_OUTDATED", "the order has another id now",
                ["field": "orig_client_order_id", "client_order_id": latest.text])
        case .replaceImmediate:
            state("REPLACE_NOT_ALLOWED", "an order that fills at once or not at all is not replaced")
        case .replaceBelowFilled(let filled):
            state(
                "REPLACE_BELOW_FILLED", "order_qty is not above what is filled",
                ["field": "order_qty", "cum_qty": "\(filled)"])
        case .unknownExecution(let id):
            Refusal(.notFound, "UNKNOWN_EXECUTION", "no such trade is known", context: ["exec_id": id.text])
        case .alreadyBusted(let id): state("ALREADY_BUSTED", "the trade is void", ["exec_id": id.text])
        case .executionOutdated(let latest):
            state("EXECUTION_CORRECTED", "the trade was corrected since", ["exec_id": latest.text])
        case .nothingToCorrect: wrong("NOTHING_TO_CORRECT", "the trade stands for this quantity and price already")
        case .tooManyExecutions(let limit):
            state("TOO_MANY_EXECUTIONS", "the window holds too many trades", ["limit": "\(limit)"])
        case .cancelPending(let order):
            state("CANCEL_PENDING", "another cancel request is on its way", ["order_id": order.text])
        case .fillTooLarge(let leaves):
            wrong("FILL_EXCEEDS_LEAVES", "qty is above what is left", ["field": "qty", "leaves": "\(leaves)"])

        case .unknownCursor:
            wrong("UNKNOWN_CURSOR", "the cursor is none that this broker has given", ["field": "cursor"])
        case .unknownPageToken:
            wrong("PAGE_TOKEN_INVALID", "page_token is none of this list", ["field": "page_token"])
        case .tradeDateNotOver(let date):
            state("TRADE_DATE_NOT_OVER", "the trade date is not over", ["trade_date": "\(date)"])

        case .busy:
            Refusal(.resourceExhausted, "BUSY", "too much waits for the disk", retry: .sameIDAfter)
        case .bookFull(let limit):
            Refusal(
                .resourceExhausted, "BOOK_FULL", "the broker remembers no more ids", context: ["limit": "\(limit)"])
        case .stopping: Refusal(.unavailable, "STOPPING", "the broker is stopping", retry: .sameIDAfter)
        case .storeFailed:
            Refusal(
                .unavailable, "STORE_FAILED", "the broker could not write its journal", certainty: .unknown,
                retry: .askFirst)

        case .told(let reason, let text): state(reason, text)

        case .invalidSetting(let error):
            wrong("SETTING_INVALID", error.description, ["field": error.path])
        case .unknownNamespace(let name):
            Refusal(
                .notFound, "UNKNOWN_NAMESPACE", "there is no such namespace", context: ["namespace": name])
        case .namespaceExists(let name):
            Refusal(
                .alreadyExists, "NAMESPACE_EXISTS", "a namespace has this name", context: ["namespace": name])
        case .tooManyNamespaces(let limit):
            Refusal(
                .resourceExhausted, "TOO_MANY_NAMESPACES", "the broker takes no more namespaces",
                context: ["limit": "\(limit)"])
        case .unknownRule(let id):
            Refusal(.notFound, "UNKNOWN_RULE", "there is no such rule", context: ["rule_id": id])
        case .unknownPreset(let name, let known):
            Refusal(
                .notFound, "UNKNOWN_PRESET", "there is no such preset: \(known.joined(separator: ", "))",
                context: ["preset": name])
        case .tooManyRules(let limit):
            Refusal(
                .resourceExhausted, "TOO_MANY_RULES", "the namespace takes no more rules",
                context: ["limit": "\(limit)"])
        }
    }

    private func wrong(
        _ reason: ReasonCode, _ message: String, _ context: [String: String] = [:]
    ) -> Contracts.Refusal {
        Refusal(.invalidArgument, reason.rawValue, message, context: context)
    }

    private func state(
        _ reason: ReasonCode, _ message: String, _ context: [String: String] = [:]
    ) -> Contracts.Refusal {
        Refusal(.failedPrecondition, reason.rawValue, message, context: context)
    }
}
