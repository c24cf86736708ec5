import Contracts
import Domain
import Limits
import RPCCore

/// Calls to the account service and to the exchange, with every answer and every failure turned into what is known.
struct MoneyClient: Sendable {
    let account: AccountServiceClient
    let fx: FxServiceClient
    let accountDeadline: Duration
    let exchangeDeadline: Duration

    // MARK: Holds

    struct Held: Hashable, Sendable {
        /// Whose account it is, as the account service knows it.
        let customer: String
    }

    enum HoldVerdict: Hashable, Sendable {
        case held(Held)
        /// Nothing is held, and this request will hold nothing.
        case refused(ReasonCode, text: String)
        case unknown(reason: String)
    }

    func placeHold(for record: LedgerOrder, _ amount: Money) async -> HoldVerdict {
        do {
            let response = try await Deadline.within(accountDeadline) {
                try await account.placeHold(
                    AccountPlaceHoldRequest(
                        holdID: record.id.holdID.text, accountID: record.terms.account.text, amount: WireMoney(amount),
                        orderID: record.id.text))
            }
            guard response.hold?.holdID == record.id.holdID.text, response.hold?.amount == WireMoney(amount) else {
                return .unknown(reason: "UNREADABLE_HOLD")
            }
            return .held(Held(customer: response.balance?.customerID ?? ""))
        } catch {
            switch Self.failure(error) {
            case .refused(let reason, let text): return .refused(reason, text: text)
            case .retry(let reason): return .unknown(reason: reason)
            }
        }
    }

    enum Balance: Hashable, Sendable {
        case known(Money)
        case unknown(reason: String)
    }

    /// What is free on an account.
    func available(on id: AccountID, _ currency: Currency) async -> Balance {
        do {
            let balance = try await Deadline.within(accountDeadline) {
                try await account.getBalance(AccountGetBalanceRequest(accountID: id.text))
            }
            guard let wire = balance.available, wire.currency == currency.code else {
                return .unknown(reason: "UNREADABLE_BALANCE")
            }
            return .known(Money(minorUnits: wire.minor, currency: currency))
        } catch {
            return .unknown(reason: Status(describing: error).reason)
        }
    }

    // MARK: Work of the account lane

    enum WorkVerdict: Hashable, Sendable {
        /// Done, now or before; what is left of the hold, where the call was about one.
        case done(remaining: Money?, detail: String)
        /// It will never be done like this; a person decides.
        case refused(ReasonCode, text: String)
        /// Not done, or nobody knows: the same key again.
        case retry(reason: String)
    }

    func capture(_ amount: Money, of hold: HoldID, key: String) async -> WorkVerdict {
        await attempt {
            let response = try await account.captureHold(
                AccountCaptureHoldRequest(holdID: hold.text, operationKey: key, amount: WireMoney(amount)))
            return .done(remaining: Self.remaining(response), detail: "\(amount) of hold \(hold), key \(key)")
        }
    }

    func release(_ hold: HoldID, key: String) async -> WorkVerdict {
        await attempt {
            let response = try await account.releaseHold(
                AccountReleaseHoldRequest(holdID: hold.text, operationKey: key))
            return .done(remaining: Self.remaining(response), detail: "the rest of hold \(hold), key \(key)")
        }
    }

    /// Makes sure that a hold whose fate is unknown can never be placed; `retry` when it turns out to be placed.
    func seal(_ hold: HoldID) async -> WorkVerdict {
        await attempt {
            let operation = try await account.resolveOperation(
                AccountResolveOperationRequest(operationKey: hold.text))
            switch operation.outcome {
            case .refused, .sealed, .reversed: return .done(remaining: nil, detail: "hold \(hold) was never placed")
            case .applied: return .retry(reason: "HOLD_WAS_PLACED")
            case .unspecified, .unrecognized: return .retry(reason: "OUTCOME_MISSING")
            }
        }
    }

    func deposit(_ amount: Money, on id: AccountID, key: String, purpose: String) async -> WorkVerdict {
        await attempt {
            Self.verdict(
                try await account.deposit(
                    AccountMoneyOperationRequest(
                        operationKey: key, accountID: id.text, amount: WireMoney(amount), purpose: purpose)),
                "\(amount) to \(id), key \(key)")
        }
    }

    func withdraw(_ amount: Money, from id: AccountID, key: String, purpose: String) async -> WorkVerdict {
        await attempt {
            Self.verdict(
                try await account.withdraw(
                    AccountMoneyOperationRequest(
                        operationKey: key, accountID: id.text, amount: WireMoney(amount), purpose: purpose)),
                "\(amount) from \(id), key \(key)")
        }
    }

    private func attempt(_ body: () async throws -> WorkVerdict) async -> WorkVerdict {
        do {
            return try await Deadline.within(accountDeadline) { try await body() }
        } catch {
            switch Self.failure(error) {
            case .refused(let reason, let text): return .refused(reason, text: text)
            case .retry(let reason): return .retry(reason: reason)
            }
        }
    }

    private static func verdict(_ operation: AccountMoneyOperation, _ detail: String) -> WorkVerdict {
        switch operation.outcome {
        case .applied: .done(remaining: nil, detail: detail)
        case .refused, .sealed, .reversed:
            .refused(
                ReasonCode(rawValue: operation.reason.isEmpty ? "\(operation.outcome)".uppercased() : operation.reason),
                text: detail)
        case .unspecified, .unrecognized: .retry(reason: "OUTCOME_MISSING")
        }
    }

    private static func remaining(_ response: AccountHoldResponse) -> Money? {
        guard let wire = response.hold?.remaining, let currency = Currency(code: wire.currency) else { return nil }
        return Money(minorUnits: wire.minor, currency: currency)
    }

    // MARK: Exchange

    enum ExchangeVerdict: Hashable, Sendable {
        case completed(detail: String)
        /// It will never bring the money; what was withdrawn is given back by the exchange itself.
        case failed(ReasonCode, text: String)
        /// It moved nothing and never will, for no reason of its own: another may be asked for.
        case interrupted
        case open(reason: String)
    }

    /// Asks for the exchange under its id, which also tells how it ended.
    func exchange(
        _ exchange: FundingExchange, for record: LedgerOrder, from source: AccountID, _ sellCurrency: Currency
    ) async -> ExchangeVerdict {
        do {
            let result = try await Deadline.within(exchangeDeadline) {
                try await fx.createExchange(
                    FXCreateExchangeRequest(
                        exchangeID: exchange.id.text, customerID: record.terms.customer.text,
                        sourceAccountID: source.text, targetAccountID: record.terms.account.text,
                        buy: WireMoney(exchange.amount), sellCurrency: sellCurrency.code,
                        purpose: "order \(record.id)"))
            }
            return Self.verdict(result)
        } catch {
            switch Self.failure(error) {
            case .refused(let reason, let text): return .failed(reason, text: text)
            case .retry(let reason): return .open(reason: reason)
            }
        }
    }

    private static func verdict(_ exchange: FXExchange) -> ExchangeVerdict {
        switch exchange.state {
        case .completed:
            return .completed(
                detail:
                    "exchange \(exchange.exchangeID): \(text(exchange.sell)) -> \(text(exchange.buy)), rate \(exchange.rate?.rateID ?? "?")"
            )
        // A leg of unknown outcome was sealed before it was booked, and what had been withdrawn is back.
        case .failed where exchange.reason == ReasonCode.sealed.rawValue,
            .cancelled where exchange.reason == ReasonCode.sealed.rawValue:
            return .interrupted
        case .failed, .cancelled:
            let reason = exchange.reason.isEmpty ? "EXCHANGE_FAILED" : exchange.reason
            return .failed(
                ReasonCode(rawValue: reason),
                text: "exchange \(exchange.exchangeID) ended with \(reason); nothing was ordered and no money is kept")
        case .unspecified, .requested, .withdrawRequested, .withdrawSucceeded, .withdrawUnknown, .depositRequested,
            .depositUnknown, .cancelRequested, .parked, .withdrawRefused, .depositSucceeded, .depositRefused,
            .unrecognized:
            return .open(reason: "EXCHANGE_\(exchange.state)")
        }
    }

    private static func text(_ wire: WireMoney?) -> String {
        guard let wire, let currency = Currency(code: wire.currency) else { return "?" }
        return "\(Money(minorUnits: wire.minor, currency: currency))"
    }

    // MARK: Failures

    private enum Failure {
        case refused(ReasonCode, text: String)
        case retry(reason: String)
    }

    /// A refusal is final when the service says that nothing was done and that a repetition is refused again.
    private static func failure(_ error: any Error) -> Failure {
        let status = Status(describing: error)
        guard status.outcome == .definitelyNotDone, let detail = WireErrorDetail(status), detail.retry == .never else {
            return .retry(reason: status.reason)
        }
        return .refused(ReasonCode(rawValue: detail.reason), text: status.message)
    }
}
