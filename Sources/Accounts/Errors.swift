import Contracts
import Domain
import Postgres
import RPCCore

// What callers see of each error: the table from case to status, reason, certainty and advice.

extension Refusal {
    /// The ledger's no to an operation.
    init(_ refusal: LedgerRefusal) {
        let (code, message): (Status.Code, String) =
            switch refusal.reason {
            case .insufficientFunds: (.failedPrecondition, "the available balance is too small")
            case .accountUnknown: (.notFound, "there is no such account in this ledger")
            case .accountClosed: (.failedPrecondition, "the account is closed")
            case .currencyMismatch: (.failedPrecondition, "the account is kept in another currency")
            case .amountOutOfRange: (.outOfRange, "the balance would become too large")
            case .holdUnknown: (.notFound, "there is no such hold")
            case .holdClosed: (.failedPrecondition, "the hold has been released under another key")
            default: (.failedPrecondition, "the ledger refuses")
            }
        self.init(
            code, refusal.reason.rawValue, message, context: refusal.context)
    }

    static func keyReused(_ key: OperationKey) -> Refusal {
        Refusal(
            .alreadyExists, "KEY_REUSED", "the key belongs to a request with other content",
            context: ["operation_key": key.text])
    }

    static func sealed(_ key: OperationKey) -> Refusal {
        Refusal(
            .failedPrecondition, "OPERATION_SEALED", "the key was sealed before this request arrived",
            context: ["operation_key": key.text])
    }

    static func orderHasHold(_ order: OrderID) -> Refusal {
        Refusal(
            .alreadyExists, "ORDER_HAS_HOLD", "the order has a hold under another id",
            context: ["order_id": order.text])
    }

    /// Every try met a change of another process. Nothing was done.
    static func contended(_ account: AccountID) -> Refusal {
        Refusal(
            .aborted, "ACCOUNT_CONTENDED", "the account changed under every try", retry: .sameIDAfter,
            context: ["account_id": account.text])
    }

    /// The ledger contradicts itself: nothing that this code does can lead there.
    static func inconsistent(_ key: OperationKey) -> Refusal {
        Refusal(
            .internal, "LEDGER_INCONSISTENT", "the ledger contradicts itself", certainty: .unknown, retry: .askFirst,
            context: ["operation_key": key.text])
    }

    init(_ refusal: AccountLanes.Refusal) {
        switch refusal {
        case .full:
            self.init(
                .resourceExhausted, "ACCOUNT_BUSY", "too many operations wait for this account", retry: .sameIDAfter)
        case .deadlineExceeded:
            self.init(
                .deadlineExceeded, "ACCOUNT_BUSY", "the operation waited too long for its account",
                retry: .sameIDAfter)
        }
    }

    /// The database's weather. Every operation has a key, so the same request may always be sent again.
    init(_ error: PostgresError) {
        let certainty: WireCertainty =
            switch error.certainty {
            case .notApplied: .definitelyNotDone
            case .unknown: .unknown
            case .applied: .definitelyDone
            }
        let retry: WireRetryAdvice = certainty == .definitelyNotDone ? .sameIDAfter : .askFirst
        switch error.reason {
        case .deadlineExceeded:
            self.init(
                .deadlineExceeded, "STORE_TOO_SLOW", "the ledger did not answer in time", certainty: certainty,
                retry: retry)
        case .cancelled:
            self.init(.cancelled, "CANCELLED", "the call was cancelled", certainty: certainty, retry: retry)
        case .poolExhausted:
            self.init(
                .resourceExhausted, "STORE_BUSY", "too many operations wait for the ledger", certainty: certainty,
                retry: retry)
        case .unavailable, .connectionLost, .closed, .transactionAborted:
            self.init(
                .unavailable, "STORE_UNAVAILABLE", "the ledger cannot be reached", certainty: certainty, retry: retry)
        case .server where error.mayRetry:
            self.init(
                .unavailable, "STORE_UNAVAILABLE", "the ledger cannot serve now", certainty: certainty, retry: retry)
        case .server, .unexpectedRowCount, .invalidParameter, .invalidConfiguration:
            self.init(.internal, "STORE_FAILED", "the ledger failed", certainty: certainty, retry: .askFirst)
        }
    }
}
