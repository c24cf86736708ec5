/// What goes wrong with one call below gRPC, on purpose, so that a test sees what the client makes of it.
///
/// A handler or a server's interceptor hands it to `carryOut` of its call. Once a fault that ends the call has struck,
/// the handler is in the place of one whose client has gone: its task is cancelled, and `send` and `receive` throw.
/// One fault at a time waits for its point. Source: RFC 9113; gRPC over HTTP/2, "Responses".
public struct TransportFault: Sendable, Hashable {
    /// How far the answer gets before the fault strikes. A point that the answer does not reach is its end.
    public enum Point: Sendable, Hashable {
        /// When it is carried out. What was sent before still goes out, unless the action says otherwise.
        case atOnce
        /// The initial metadata has gone out.
        case afterHeaders
        /// So many messages more, counted from when the fault was carried out; 0 as `afterHeaders`.
        case afterMessages(Int)
        /// So many bytes of messages more, each with its prefix of five, counted as `afterMessages`. A message may be cut.
        case afterBytes(Int)
        /// In place of the status and its trailers.
        case insteadOfStatus
    }

    /// What happens at that point.
    public enum Action: Sendable, Hashable {
        /// RST_STREAM with a code of RFC 9113 section 7: 0x2 INTERNAL_ERROR, 0x7 REFUSED_STREAM, 0x8 CANCEL, ...
        case resetStream(code: UInt32)
        /// END_STREAM without trailers; on the headers themselves when nothing else was sent.
        case endStream
        /// Trailers without `grpc-status`.
        case omitStatus
        /// Nothing more is sent, and the stream stays open: until the client gives up, or the server's limit of faults.
        case silence
        /// A message whose prefix announces more than `content`, which follows it and ends the stream.
        case truncatedMessage(announcedBytes: Int, content: [UInt8])
        /// An HTTP response that is not gRPC. Only `atOnce`, before the headers.
        case httpResponse(status: Int, contentType: String, body: [UInt8])
        /// The answer goes on, at so many bytes of messages in each interval; a sender waits as with a slow client.
        case trickle(bytes: Int, every: Duration)
        /// The connection's fault, with all its calls.
        case connection(ConnectionFault)
    }

    public var action: Action
    public var point: Point

    public init(_ action: Action, _ point: Point = .atOnce) {
        self.action = action
        self.point = point
    }

    /// Throws when no transport could carry it out.
    public func check() throws(TransportFaultError) {
        switch point {
        case .afterMessages(let count) where count < 0: throw .invalid("a count of messages below 0")
        case .afterBytes(let count) where count < 0: throw .invalid("a count of bytes below 0")
        case .atOnce, .afterHeaders, .afterMessages, .afterBytes, .insteadOfStatus: break
        }
        switch action {
        case .truncatedMessage(let announced, let content):
            guard content.count < announced, announced <= Int(UInt32.max) else {
                throw .invalid("a message is truncated when its prefix announces more than follows, at most 2^32 - 1")
            }
        case .httpResponse(let status, _, _):
            guard (200...599).contains(status) else { throw .invalid("HTTP status \(status)") }
            guard point == .atOnce else { throw .invalid("an HTTP response in the middle of an answer") }
        case .trickle(let bytes, let interval):
            guard bytes > 0, interval >= .milliseconds(1) else {
                throw .invalid("a trickle is at least a byte in at least a millisecond")
            }
        case .connection(let fault): try fault.check()
        case .resetStream, .endStream, .omitStatus, .silence: break
        }
    }
}

/// Why a fault was not carried out.
public enum TransportFaultError: Error, Hashable, StatusConvertible {
    /// This transport has nothing that could break in that way.
    case unsupported(String)
    /// The fault contradicts itself.
    case invalid(String)
    /// The call is past the point, has ended, or has a fault already.
    case tooLate(String)

    public var status: Status {
        switch self {
        case .unsupported(let what): Status(.unimplemented, "the transport cannot do this: \(what)")
        case .invalid(let what): Status(.invalidArgument, "not a fault that can be: \(what)")
        case .tooLate(let what): Status(.failedPrecondition, "too late for a fault: \(what)")
        }
    }
}
