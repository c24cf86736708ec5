internal import Contracts
internal import Domain
internal import RPCCore

/// What a participant's answer proves about one leg, with the evidence for the log.
struct LegAnswer: Hashable, Sendable {
    let result: LegResult
    let detail: String
    /// The participant breaks its own promises: a person has to look.
    var contradicts = false

    /// Reads a stored outcome: the only proof there is.
    init(_ operation: AccountMoneyOperation) {
        switch operation.outcome {
        case .applied:
            self.init(result: .applied, detail: operation.replayed ? "APPLIED before" : "APPLIED")
        case .refused:
            let reason = operation.reason.isEmpty ? "REFUSED" : operation.reason
            self.init(result: .refused(ReasonCode(rawValue: reason)), detail: "REFUSED \(reason)")
        case .sealed:
            self.init(result: .sealed, detail: "SEALED")
        case .reversed:
            // Given back without our asking: neither applied nor refused. The exchange waits until a person has seen it.
            self.init(result: .unknown, detail: "REVERSED without a request to cancel", contradicts: true)
        case .unspecified, .unrecognized:
            self.init(result: .unknown, detail: "an outcome that this version does not know", contradicts: true)
        }
    }

    /// Reads a call that failed. Whatever the code says, the key may still apply: a request that is late, or was sent by
    /// a driver that lost its lease, is held up by nothing but a stored outcome. So every failure means that the key has
    /// to be resolved, and the code only tells whether a person should look.
    init(_ status: Status) {
        let isWiring: Bool
        switch status.code {
        case .cancelled, .unknown, .deadlineExceeded, .aborted, .unavailable, .internal, .dataLoss, .resourceExhausted:
            isWiring = false  // weather
        case .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition, .outOfRange,
            .unimplemented, .unauthenticated:
            isWiring = true  // the participant does not understand or does not trust us
        case .ok:
            isWiring = true  // OK without a message
        }
        self.init(result: .unknown, detail: "\(status.code) \(status.reason)", contradicts: isWiring)
    }

    private init(result: LegResult, detail: String, contradicts: Bool = false) {
        self.result = result
        self.detail = detail
        self.contradicts = contradicts
    }
}
