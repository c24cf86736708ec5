/// How a call ended: a code, a text for people, and optional details for programs.
///
/// It is also the error that every call throws. `certainty` is what this side knows about a call that failed on the
/// way; it never crosses the network. Source: gRPC over HTTP/2, "Responses"; gRPC status codes.
public struct Status: Error, Hashable, Sendable {
    /// The codes of gRPC; the raw values are those on the wire.
    public enum Code: Int, Sendable, CaseIterable {
        case ok = 0
        case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable
        case dataLoss, unauthenticated
    }

    /// Whether the server may have acted on the request.
    public enum Certainty: Sendable, Hashable {
        /// The server answered; what it did follows from the answer.
        case answered
        /// The request cannot have reached a handler: repeating it is safe.
        case notProcessed
        /// The request may have been processed, in part or whole: ask before repeating it.
        case unknown
    }

    public var code: Code
    /// For people; any Unicode text, percent-encoded on the wire.
    public var message: String
    /// A serialized `google.rpc.Status` (`grpc-status-details-bin`), or empty.
    public var details: [UInt8]
    /// What came, or shall go, with the status in the trailers.
    public var metadata: Metadata
    public var certainty: Certainty

    public init(
        _ code: Code, _ message: String = "", details: [UInt8] = [], metadata: Metadata = [:],
        certainty: Certainty = .answered
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.metadata = metadata
        self.certainty = certainty
    }

    public static let ok = Status(.ok)

    public var isOK: Bool { code == .ok }

    /// The same status with another certainty.
    public func with(certainty: Certainty) -> Status {
        var copy = self
        copy.certainty = certainty
        return copy
    }
}

extension Status.Code: CustomStringConvertible {
    /// The name in the specification, such as `INVALID_ARGUMENT`.
    public var description: String {
        switch self {
        case .ok: "OK"
        case .cancelled: "CANCELLED"
        case .unknown: "UNKNOWN"
        case .invalidArgument: "INVALID_ARGUMENT"
        case .deadlineExceeded: "DEADLINE_EXCEEDED"
        case .notFound: "NOT_FOUND"
        case .alreadyExists: "ALREADY_EXISTS"
        case .permissionDenied: "PERMISSION_DENIED"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .aborted: "ABORTED"
        case .outOfRange: "OUT_OF_RANGE"
        case .unimplemented: "UNIMPLEMENTED"
        case .internal: "INTERNAL"
        case .unavailable: "UNAVAILABLE"
        case .dataLoss: "DATA_LOSS"
        case .unauthenticated: "UNAUTHENTICATED"
        }
    }

    /// The code for a response that is HTTP, but not gRPC. Source: gRPC, "HTTP to gRPC Status Code Mapping".
    public init(httpStatus: Int) {
        switch httpStatus {
        case 400: self = .internal
        case 401: self = .unauthenticated
        case 403: self = .permissionDenied
        case 404: self = .unimplemented
        case 429, 502, 503, 504: self = .unavailable
        default: self = .unknown
        }
    }

    /// The code for a stream that was reset with an HTTP/2 error code. Source: gRPC over HTTP/2, "Errors".
    public init(http2ErrorCode: UInt32) {
        switch http2ErrorCode {
        case 0x7: self = .unavailable  // REFUSED_STREAM
        case 0x8: self = .cancelled  // CANCEL
        case 0xb: self = .resourceExhausted  // ENHANCE_YOUR_CALM
        case 0xc: self = .permissionDenied  // INADEQUATE_SECURITY
        default: self = .internal
        }
    }
}

extension Status: CustomStringConvertible {
    public var description: String {
        let text = message.isEmpty ? code.description : "\(code): \(message)"
        switch certainty {
        case .answered: return text
        case .notProcessed: return "\(text) (not processed)"
        case .unknown: return "\(text) (may have been processed)"
        }
    }
}
