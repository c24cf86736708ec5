package import RPCCore

/// A fault of the stream or the connection that carries a request.
package enum WireFault: Hashable, Sendable {
    case resetStream(code: UInt32, afterMessages: Int)
    case headersOnly
    case missingTrailers
    case missingStatus
    case slowBytes(Int, every: Duration)
    case corruptMessage
    case httpAnswer(status: Int, contentType: String, body: [UInt8])
    case connection(ConnectionFault)

    /// Where it can strike, and the usual place of them. Those that are about the reply itself wait for it.
    var places: (usual: InjectionPoint, all: Set<InjectionPoint>) {
        let early: Set<InjectionPoint> = [.beforeRead, .afterReadBeforeCommit, .afterCommitBeforeReply]
        return switch self {
        case .resetStream(_, let messages):
            messages > 0
                ? (.duringReply, [.duringReply])
                : (.afterCommitBeforeReply, early.union(InjectionPoint.reports).union([.duringReply]))
        case .headersOnly, .missingTrailers, .missingStatus, .slowBytes, .corruptMessage:
            (.duringReply, [.duringReply])
        case .httpAnswer: (.beforeRead, early)
        case .connection: (.afterCommitBeforeReply, early.union(InjectionPoint.reports).union([.duringReply]))
        }
    }

    /// Whether the caller gets no proper answer on this call.
    var endsCall: Bool {
        switch self {
        case .slowBytes: false
        case .connection(let fault):
            switch fault {
            case .goAway(_, last: .all), .blackHole, .closedWindow, .oneStream, .ignoredPings: false
            case .goAway, .close, .halfClose, .reset, .oversizedFrame: true
            }
        case .resetStream, .headersOnly, .missingTrailers, .missingStatus, .corruptMessage, .httpAnswer: true
        }
    }

    /// For the transport, at this place.
    func transportFault(at point: InjectionPoint) -> TransportFault {
        let isLate = point == .duringReply
        return switch self {
        case .resetStream(let code, let messages):
            TransportFault(
                .resetStream(code: code), isLate ? (messages > 0 ? .afterMessages(messages) : .afterHeaders) : .atOnce)
        case .headersOnly: TransportFault(.silence, .afterHeaders)
        case .missingTrailers: TransportFault(.endStream, .insteadOfStatus)
        case .missingStatus: TransportFault(.omitStatus, .insteadOfStatus)
        case .slowBytes(let bytes, let interval): TransportFault(.trickle(bytes: bytes, every: interval))
        case .corruptMessage:
            TransportFault(.truncatedMessage(announcedBytes: 1 << 16, content: [8, 1, 16, 2]), .afterHeaders)
        case .httpAnswer(let status, let contentType, let body):
            TransportFault(.httpResponse(status: status, contentType: contentType, body: body))
        case .connection(let fault): TransportFault(.connection(fault), isLate ? .afterHeaders : .atOnce)
        }
    }
}
