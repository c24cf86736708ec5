import Contracts
import Domain
import RPCCore

// What makes a request well formed. A request that is not is refused with INVALID_ARGUMENT and stored nowhere: it is no
// operation.

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

extension AccountID {
    /// The id of a customer's account: 1 to 64 of `[0-9A-Za-z-]`. Names of internal accounts are none.
    init(customers text: String) throws(Refusal) {
        try self.init(text, field: "account_id")
        guard text.utf8.allSatisfy(IDKinds.ClientOrder.allows) else {
            throw Refusal(
                .invalidArgument, "ID_MALFORMED", "account_id: the id has a character that is not allowed",
                context: ["field": "account_id"])
        }
    }
}

extension AccountsConfiguration {
    /// An amount above zero, and at most the largest of one operation.
    func positive(_ wire: WireMoney?, field: String = "amount") throws(Refusal) -> Money {
        let money = try notNegative(wire, field: field)
        guard money.isPositive else {
            throw Refusal(
                .invalidArgument, "AMOUNT_NOT_POSITIVE", "\(field) must be above zero", context: ["field": field])
        }
        return money
    }

    /// An amount of zero or more, and at most the largest of one operation.
    func notNegative(_ wire: WireMoney?, field: String = "amount") throws(Refusal) -> Money {
        guard let wire else {
            throw Refusal(.invalidArgument, "FIELD_MISSING", "\(field) is missing", context: ["field": field])
        }
        let money = try Money(wire, field: field)
        guard !money.isNegative else {
            throw Refusal(
                .invalidArgument, "AMOUNT_NEGATIVE", "\(field) must not be negative", context: ["field": field])
        }
        guard money.minorUnits <= largestAmount else {
            throw Refusal(
                .invalidArgument, "AMOUNT_TOO_LARGE", "\(field) is larger than one operation may be",
                context: ["field": field, "largest": "\(largestAmount)"])
        }
        return money
    }

    /// - Throws: `Refusal` CURRENCY_NOT_HELD when this ledger keeps no accounts in the currency.
    func held(_ code: String) throws(Refusal) -> Currency {
        guard let currency = Currency(code: code), currencies.contains(currency) else {
            throw Refusal(
                .invalidArgument, "CURRENCY_NOT_HELD", "this ledger keeps no accounts in this currency",
                context: ["ledger": ledger, "currency": String(code.prefix(8))])
        }
        return currency
    }
}

extension AccountOpening {
    init(_ request: AccountOpenAccountRequest, _ configuration: AccountsConfiguration) throws(Refusal) {
        let currency = try configuration.held(request.currency)
        let balance =
            try request.openingBalance.map { wire throws(Refusal) in
                try configuration.notNegative(wire, field: "opening_balance")
            } ?? .zero(currency)
        guard balance.currency == currency else {
            throw Refusal(
                .invalidArgument, "CURRENCY_MISMATCH", "opening_balance is in another currency than the account",
                context: ["field": "opening_balance"])
        }
        self.init(
            account: try AccountID(customers: request.accountID),
            customer: try CustomerID(request.customerID, field: "customer_id"), balance: balance)
    }
}

extension Movement {
    init(
        _ direction: Direction, _ request: AccountMoneyOperationRequest, _ configuration: AccountsConfiguration
    ) throws(Refusal) {
        guard request.purpose.unicodeScalars.count <= 200, !request.purpose.utf8.contains(0) else {
            throw Refusal(
                .invalidArgument, "PURPOSE_MALFORMED", "purpose has at most 200 characters, none of them NUL",
                context: ["field": "purpose"])
        }
        self.init(
            key: try OperationKey(request.operationKey, field: "operation_key"), direction: direction,
            account: try AccountID(customers: request.accountID), amount: try configuration.positive(request.amount),
            purpose: request.purpose)
    }
}

extension HoldPlacement {
    init(_ request: AccountPlaceHoldRequest, _ configuration: AccountsConfiguration) throws(Refusal) {
        self.init(
            hold: try HoldID(request.holdID, field: "hold_id"), account: try AccountID(customers: request.accountID),
            amount: try configuration.positive(request.amount),
            order: try OrderID(request.orderID, field: "order_id"))
    }
}

extension HoldCapture {
    init(_ request: AccountCaptureHoldRequest, _ configuration: AccountsConfiguration) throws(Refusal) {
        self.init(
            hold: try HoldID(request.holdID, field: "hold_id"),
            key: try OperationKey(request.operationKey, field: "operation_key"),
            amount: try configuration.notNegative(request.amount))
    }
}

extension HoldRelease {
    init(_ request: AccountReleaseHoldRequest) throws(Refusal) {
        self.init(
            hold: try HoldID(request.holdID, field: "hold_id"),
            key: try OperationKey(request.operationKey, field: "operation_key"))
    }
}
