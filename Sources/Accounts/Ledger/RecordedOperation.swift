import Domain

/// What an operation key is used for. Raw values are those of the database.
enum OperationKind: String, Sendable, Hashable, CaseIterable {
    case open = "OPEN"
    case hold = "HOLD"
    case capture = "CAPTURE"
    case release = "RELEASE"
    case withdraw = "WITHDRAW"
    case deposit = "DEPOSIT"
}

/// What the ledger has written down about an operation key. It stays for ever; only APPLIED changes, to REVERSED.
struct RecordedOperation: Sendable, Hashable {
    /// What the request asked for.
    struct Facts: Sendable, Hashable {
        let kind: OperationKind
        let bodyHash: String
        /// As the request named it; there may be no such account when the operation was refused.
        let account: AccountID
        let amount: Money
    }

    let key: OperationKey
    let outcome: OperationOutcome
    /// Nil when the key was sealed before any request arrived.
    let facts: Facts?

    var stored: StoredOperation { StoredOperation(bodyHash: facts?.bodyHash, outcome: outcome) }
}

extension OperationOutcome {
    /// Why it was refused.
    var refusal: ReasonCode? {
        if case .refused(let reason) = self { reason } else { nil }
    }
}
