internal import Contracts
internal import Domain
internal import Postgres
internal import RPCCore

// What callers see of each error: the table from case to status, reason, certainty and advice.

extension Refusal {
    static func idReused(_ id: ExchangeID) -> Refusal {
        Refusal(
            .alreadyExists, "EXCHANGE_ID_REUSED", "the id belongs to a request with other content",
            context: ["exchange_id": id.text])
    }

    static func exchangeUnknown(_ id: ExchangeID) -> Refusal {
        Refusal(.notFound, "EXCHANGE_UNKNOWN", "there is no such exchange", context: ["exchange_id": id.text])
    }

    static func notParked(_ id: ExchangeID, _ state: ExchangeState) -> Refusal {
        Refusal(
            .failedPrecondition, "EXCHANGE_NOT_PARKED", "only a parked exchange can be given back to automation",
            context: ["exchange_id": id.text, "state": state.rawValue])
    }

    static func quoteUnknown(_ id: QuoteID) -> Refusal {
        Refusal(.notFound, "QUOTE_UNKNOWN", "there is no such quote", context: ["quote_id": id.text])
    }

    static func quoteExpired(_ id: QuoteID) -> Refusal {
        Refusal(
            .failedPrecondition, "QUOTE_EXPIRED", "the quote has expired; ask for a new one",
            context: ["quote_id": id.text])
    }

    static func quoteUsed(_ id: QuoteID) -> Refusal {
        Refusal(
            .failedPrecondition, "QUOTE_USED", "the quote was taken by another exchange", context: ["quote_id": id.text]
        )
    }

    static func quoteMismatch(_ id: QuoteID) -> Refusal {
        Refusal(
            .invalidArgument, "QUOTE_MISMATCH", "the quote is for another amount or pair",
            context: ["quote_id": id.text])
    }

    /// A final refusal, by the name under which it is remembered.
    static func remembered(_ refusal: FinalRefusal, _ id: ExchangeID) -> Refusal {
        switch refusal {
        case .dailyLimitExceeded:
            Refusal(
                .failedPrecondition, refusal.rawValue,
                "the customer's limit for exchanges of this date does not suffice", context: ["exchange_id": id.text])
        }
    }

    static let tooMany = Refusal(
        .resourceExhausted, "FX_BUSY", "too many exchanges wait to be driven", retry: .sameIDAfter)

    init(_ error: ExchangeTermsError) {
        switch error {
        case .notPositive:
            self.init(.invalidArgument, "AMOUNT_NOT_POSITIVE", "buy must be above zero", context: ["field": "buy"])
        case .amount, .rate:
            self.init(.invalidArgument, "AMOUNT_TOO_LARGE", "the price does not fit", context: ["field": "buy"])
        case .wrongPair(let one, let other):
            self.init(
                .invalidArgument, "PAIR_UNKNOWN", "there is no rate for this pair",
                context: ["pair": "\(one)/\(other)"])
        case .spreadOutOfRange:
            self.init(.internal, "SPREAD_INVALID", "the spread is not a share", retry: .askFirst)
        }
    }

    init(_ error: RateUnavailable) {
        switch error {
        case .unknownPair(let one, let other):
            self.init(
                .invalidArgument, "PAIR_UNKNOWN", "there is no rate for this pair",
                context: ["pair": "\(one)/\(other)"])
        case .beforeFirst(let date):
            self.init(
                .unavailable, "RATE_UNAVAILABLE", "no rate was published by then", retry: .sameIDAfter,
                context: ["date": "\(date)"])
        case .sourceUnreachable:
            self.init(.unavailable, "RATE_UNAVAILABLE", "the source of rates cannot be reached", retry: .sameIDAfter)
        }
    }

    /// The database's weather. Every request has an id, so the same one may always be sent again.
    init(_ error: PostgresError) {
        let certainty: WireCertainty =
            switch error.certainty {
            case .notApplied: .definitelyNotDone
            case .unknown: .unknown
            case .applied: .definitelyDone
            }
        let (code, reason, message): (Status.Code, String, String) =
            switch error.reason {
            case .deadlineExceeded: (.deadlineExceeded, "STORE_TOO_SLOW", "the database did not answer in time")
            case .cancelled: (.cancelled, "CANCELLED", "the call was cancelled")
            case .poolExhausted: (.resourceExhausted, "STORE_BUSY", "too many requests wait for the database")
            case .unavailable, .connectionLost, .closed, .transactionAborted:
                (.unavailable, "STORE_UNAVAILABLE", "the database cannot be reached")
            case .server where error.mayRetry: (.unavailable, "STORE_UNAVAILABLE", "the database cannot serve now")
            case .server, .unexpectedRowCount, .invalidParameter, .invalidConfiguration:
                (.internal, "STORE_FAILED", "the database failed")
            }
        self.init(code, reason, message, certainty: certainty, retry: .sameIDAfter)
    }
}

/// A refusal that is as final as an acceptance. The raw value is stored and is the reason that callers see.
enum FinalRefusal: String {
    case dailyLimitExceeded = "DAILY_LIMIT_EXCEEDED"
}
