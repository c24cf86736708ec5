/// What is stored under an operation key, in the transaction that moved the money or decided not to.
public struct StoredOperation: Hashable, Sendable {
    /// The hash of the request's canonical body; nil when the key was sealed before any request came.
    public let bodyHash: String?
    public let outcome: OperationOutcome

    public init(bodyHash: String?, outcome: OperationOutcome) {
        self.bodyHash = bodyHash
        self.outcome = outcome
    }
}

/// What is asked of an operation key.
public enum OperationRequest: Hashable, Sendable {
    /// Withdraw, deposit, hold, capture: do it, once.
    case apply(bodyHash: String)
    /// Find the outcome, or make sure that there never is one.
    case resolve
    /// Give it back if it applied, and make sure that it never applies if it did not.
    case cancel
}

/// What to do about a request, decided from what is stored. All effects belong into one transaction with the read.
public enum OperationDecision: Hashable, Sendable {
    /// Nothing is stored: try to move the money and store APPLIED or REFUSED with the body's hash.
    case attempt
    /// Answer with what is stored; nothing changes.
    case answer(OperationOutcome)
    /// Store SEALED, without a body, and answer it.
    case seal
    /// Post the opposite entry, store REVERSED and answer it.
    case reverse
    /// The key was used for another body: refuse, raise an alert, change nothing.
    case refuseOtherBody

    public init(_ request: OperationRequest, stored: StoredOperation?) {
        switch request {
        case .apply(let bodyHash):
            guard let stored else {
                self = .attempt
                return
            }
            let isOther = stored.bodyHash.map { $0 != bodyHash } ?? false
            self = isOther ? .refuseOtherBody : .answer(stored.outcome)
        case .resolve: self = stored.map { .answer($0.outcome) } ?? .seal
        case .cancel:
            switch stored?.outcome {
            case nil: self = .seal
            case .applied: self = .reverse
            case .refused(let reason): self = .answer(.refused(reason))
            case .sealed: self = .answer(.sealed)
            case .reversed: self = .answer(.reversed)
            }
        }
    }
}
