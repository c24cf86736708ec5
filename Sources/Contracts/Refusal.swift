internal import Protobuf
public import RPCCore

/// An answer that says no, or that it does not know: why, whether anything was changed, and what the caller may do.
///
/// On the wire it is a status whose details hold one `meridian.type.v1.ErrorDetail`.
public struct Refusal: StatusConvertible, Hashable, CustomStringConvertible {
    public let code: Status.Code
    /// A stable upper-case code.
    public let reason: String
    /// For people. Never secrets or personal data.
    public let message: String
    public let certainty: WireCertainty
    public let retry: WireRetryAdvice
    /// The facts behind the reason.
    public let context: [String: String]

    public init(
        _ code: Status.Code, _ reason: String, _ message: String, certainty: WireCertainty = .definitelyNotDone,
        retry: WireRetryAdvice = .never, context: [String: String] = [:]
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.certainty = certainty
        self.retry = retry
        self.context = context
    }

    public var status: Status {
        let detail = WireErrorDetail(reason: reason, certainty: certainty, retry: retry, context: context)
        let packed = Google_Protobuf_Any(typeURL: WireErrorDetail.typeURL, value: detail.encoded())
        let rich = GoogleRPCStatus(code: Int32(code.rawValue), message: message, details: [packed])
        return Status(code, message, details: rich.encoded())
    }

    public var description: String { "\(code) \(reason): \(message)" }
}

extension WireErrorDetail {
    static let typeURL = "type.googleapis.com/meridian.type.v1.ErrorDetail"

    /// The detail that a Meridian service put into `status`; nil when there is none that can be read.
    public init?(_ status: Status) {
        guard !status.details.isEmpty, let rich = try? GoogleRPCStatus(decoding: status.details),
            let packed = rich.details.first(where: { $0.typeURL == Self.typeURL }),
            let detail = try? WireErrorDetail(decoding: packed.value)
        else { return nil }
        self = detail
    }
}

extension Status {
    /// What a caller may conclude from this error: a missing or unreadable word means UNKNOWN, unless the transport
    /// proves that the request was never processed.
    public var outcome: WireCertainty {
        switch certainty {
        case .notProcessed: .definitelyNotDone
        case .unknown: .unknown
        case .answered:
            switch WireErrorDetail(self)?.certainty {
            case .definitelyNotDone: .definitelyNotDone
            case .definitelyDone: .definitelyDone
            case .unknown, .unspecified, .unrecognized, nil: .unknown
            }
        }
    }

    /// The stable reason that a Meridian service gave, or the name of the code.
    public var reason: String { WireErrorDetail(self)?.reason ?? code.description }
}
