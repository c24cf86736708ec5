internal import Contracts
internal import RPCCore

/// What an error from a broker proves. Only a structured answer that says "definitely not done" refuses; every time-out,
/// reset, 5xx and unreadable reply leaves the outcome unknown.
enum BrokerVerdict: Hashable {
    case duplicate
    case refused(reason: String)
    case notSent(reason: String)
    case unknown(reason: String)

    /// The reason with which a broker answers a client order id that it knows.
    static let duplicateReason = "DUPLICATE_CLIENT_ORDER_ID"

    init(_ status: Status) {
        if status.certainty == .notProcessed {
            self = .notSent(reason: status.code.description)
            return
        }
        guard status.certainty == .answered, let detail = WireErrorDetail(status) else {
            self = .unknown(reason: status.code.description)
            return
        }
        switch (status.code, detail.certainty) {
        case (.alreadyExists, _) where detail.reason == Self.duplicateReason: self = .duplicate
        case (_, .definitelyNotDone):
            self = detail.retry == .sameIDAfter ? .notSent(reason: detail.reason) : .refused(reason: detail.reason)
        case (_, .definitelyDone), (_, .unknown), (_, .unspecified), (_, .unrecognized):
            self = .unknown(reason: detail.reason)
        }
    }
}
