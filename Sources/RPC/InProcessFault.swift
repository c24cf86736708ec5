internal import RPCCore
internal import Synchronization

/// A fault that waits for its point in a call inside the process, which ends as the client of a connection would see it.
struct InProcessFault: Sendable {
    enum Ending: Sendable, Hashable {
        case status(Status)
        case silence
    }

    let ending: Ending
    var progress: FaultProgress

    /// What the handler is told afterwards.
    static let brokenOff = Status(.cancelled, "the call was broken off by a fault")

    /// Throws for what does not end a call: there is no connection that could go on with it.
    init(_ fault: TransportFault) throws(TransportFaultError) {
        progress = FaultProgress(fault.point)
        let statusIsMissing = Status(
            .unknown, "in-process: the response ended without a status", certainty: .unknown)
        let notProcessed = Status(.unavailable, "in-process: the server refused the call", certainty: .notProcessed)
        let lost = Status(.unavailable, "in-process: the peer closed the connection", certainty: .unknown)
        switch fault.action {
        case .resetStream(0x7): ending = .status(notProcessed)
        case .resetStream(let code):
            let text = "in-process: the server reset the stream (error \(code))"
            ending = .status(Status(Status.Code(http2ErrorCode: code), text, certainty: .unknown))
        case .endStream, .omitStatus, .truncatedMessage: ending = .status(statusIsMissing)
        case .silence, .connection(.blackHole): ending = .silence
        case .httpResponse(let status, _, _):
            let text = "in-process: HTTP status \(status) instead of a gRPC response"
            ending = .status(Status(Status.Code(httpStatus: status), text, certainty: .unknown))
        case .connection(.goAway(_, last: .none)), .connection(.goAway(_, last: .beforeCall)):
            ending = .status(notProcessed)
        case .connection(.close), .connection(.halfClose), .connection(.reset), .connection(.oversizedFrame):
            ending = .status(lost)
        case .trickle, .connection(.goAway), .connection(.closedWindow), .connection(.oneStream),
            .connection(.ignoredPings):
            throw .unsupported("\(fault.action), inside the process")
        }
    }
}

extension InProcessServerCall {
    func carryOut(_ fault: TransportFault) async throws {
        try fault.check()
        let armed = try InProcessFault(fault)
        guard exchange.status == nil, !exchange.isSilent else {
            throw TransportFaultError.tooLate("the call has ended")
        }
        if case .httpResponse = fault.action, exchange.responseHasStarted {
            throw TransportFaultError.tooLate("the headers have gone out")
        }
        let isFirst = self.fault.withLock { waiting in
            guard waiting == nil else { return false }
            waiting = armed
            return true
        }
        guard isFirst else { throw TransportFaultError.tooLate("the call has a fault already") }
        if fault.point == .atOnce || armed.progress.strikesAfterHeaders && exchange.responseHasStarted { strike() }
    }

    /// Throws when a fault has ended the call.
    func checkHeard() throws { if exchange.isSilent { throw InProcessFault.brokenOff } }

    /// Takes a message on its way out: whether it goes out whole, and whether the fault strikes after it. A part of one
    /// means nothing to a client.
    func progress(_ message: [UInt8]) -> (isWhole: Bool, strikes: Bool) {
        fault.withLock { fault in
            let count = message.count + MessagePrefix.byteCount
            guard let (passed, strikes) = fault?.progress.passes(count) else { return (true, false) }
            return (passed == count, strikes)
        }
    }

    /// Returns whether it has struck.
    func strikesAfterHeaders() -> Bool {
        guard fault.withLock({ $0?.progress.strikesAfterHeaders ?? false }) else { return false }
        strike()
        return true
    }

    /// The handler has ended. Returns when the client may be told, if the fault has not ended the call otherwise.
    func strikeInsteadOfStatus() async {
        strike()
        if exchange.isSilent { await exchange.untilEnded() }
    }

    func strike() {
        guard let fault = fault.withLock({ $0.take() }) else { return }
        switch fault.ending {
        case .status(let status):
            // What has begun to answer was processed, whatever the fault says.
            let reported = exchange.responseHasStarted ? status.with(certainty: .unknown) : status
            exchange.end(reported, early: true, keepingMessages: true)
        case .silence: exchange.fallSilent()
        }
    }
}
