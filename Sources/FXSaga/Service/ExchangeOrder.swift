internal import Contracts
internal import Domain
internal import RPCCore

/// A well-formed request to exchange. What is not well formed is refused and stored nowhere.
struct ExchangeOrder: Hashable, Sendable {
    let id: ExchangeID
    let customer: CustomerID
    let source: AccountID
    let target: AccountID
    let buy: Money
    let sellCurrency: Currency
    /// Nil takes the rate of the moment.
    let quote: QuoteID?
    let purpose: String

    init(_ request: FXCreateExchangeRequest) throws(Refusal) {
        id = try ExchangeID(exchange: request.exchangeID)
        customer = try CustomerID(request.customerID, field: "customer_id")
        source = try AccountID(request.sourceAccountID, field: "source_account_id")
        target = try AccountID(request.targetAccountID, field: "target_account_id")
        guard source != target else {
            throw Refusal(.invalidArgument, "SAME_ACCOUNT", "source and target are one account")
        }
        (buy, sellCurrency) = try Self.pair(request.buy, request.sellCurrency)
        quote = request.quoteID.isEmpty ? nil : try QuoteID(request.quoteID, field: "quote_id")
        guard request.purpose.unicodeScalars.count <= 200, !request.purpose.utf8.contains(0) else {
            throw Refusal(
                .invalidArgument, "PURPOSE_MALFORMED", "purpose has at most 200 characters, none of them NUL",
                context: ["field": "purpose"])
        }
        purpose = request.purpose
    }

    /// What is bought, above zero, and the other currency that it is paid with.
    static func pair(_ buy: WireMoney?, _ sellCurrency: String) throws(Refusal) -> (Money, Currency) {
        guard let buy else {
            throw Refusal(.invalidArgument, "FIELD_MISSING", "buy is missing", context: ["field": "buy"])
        }
        let money = try Money(buy, field: "buy")
        guard money.isPositive else {
            throw Refusal(
                .invalidArgument, "AMOUNT_NOT_POSITIVE", "buy must be above zero", context: ["field": "buy"])
        }
        guard let currency = Currency(code: sellCurrency) else {
            throw Refusal(
                .invalidArgument, "CURRENCY_UNKNOWN", "sell_currency: no books are kept in this currency",
                context: ["field": "sell_currency", "currency": String(sellCurrency.prefix(8))])
        }
        guard currency != money.currency else {
            throw Refusal(
                .invalidArgument, "SAME_CURRENCY", "what is bought is paid with another currency",
                context: ["currency": currency.code])
        }
        return (money, currency)
    }

    /// Of the parsed fields, so that two spellings of one request are one request. Version 1 of this form.
    var bodyHash: String {
        var hash = StableHash()
        hash.combine("exchange/1")
        for text in [customer.text, source.text, target.text, buy.currency.code] { hash.combine(text) }
        hash.combine(buy.minorUnits)
        for text in [sellCurrency.code, quote?.text ?? "", purpose] { hash.combine(text) }
        return hash.hexadecimal
    }
}

extension ID {
    /// - Throws: `Refusal` ID_MALFORMED that names the field.
    init(_ text: String, field: String) throws(Refusal) {
        do {
            try self.init(text)
        } catch {
            throw Refusal(.invalidArgument, "ID_MALFORMED", "\(field): \(error)", context: ["field": field])
        }
    }
}

extension ExchangeID {
    /// An id of the contract: 1 to 64 of `[0-9A-Za-z-]`.
    init(exchange text: String) throws(Refusal) {
        try self.init(text, field: "exchange_id")
        guard text.utf8.allSatisfy(IDKinds.ClientOrder.allows) else {
            throw Refusal(
                .invalidArgument, "ID_MALFORMED", "exchange_id: the id has a character that is not allowed",
                context: ["field": "exchange_id"])
        }
    }
}
