internal import EventLoop
internal import HTTP2
internal import RPCCore

/// What goes wrong with a connection and lasts. Belongs to its loop.
struct LastingFaults {
    /// The most that any of them may last.
    var timer: LoopTimer
    var closedWindow = false
    var oneStream = false
    /// The client is told nothing any more, which cannot be taken back.
    var isMute = false
}

extension ServerConnection {
    /// Lets the connection go wrong.
    ///
    /// - Parameters:
    ///   - call: whose handler asks for it; nil for the program.
    ///   - isAtOnce: nothing of the call's answer has to go out before.
    /// - Returns: whether the answer of `call` has ended with it.
    @discardableResult
    func carryOut(_ fault: ConnectionFault, by call: ServerStream? = nil, isAtOnce: Bool = true) -> Bool {
        loop.preconditionOnLoop()
        let reason = Status(.unavailable, "the connection was broken on purpose", certainty: .unknown)
        switch fault {
        case .goAway(let code, let last):
            let code = HTTP2ErrorCode(rawValue: code)
            let id = call?.id ?? 0
            switch last {
            case .none: leave(code, last: 0)
            case .beforeCall: leave(code, last: max(0, id - 2))
            case .id(let last): leave(code, last: last)
            case .all:
                afterOutput { [unowned self] in session.submitGoAway(code) }
                return false
            }
            return if case .id(let last) = last { id > last } else { true }
        case .close: requestClose(reason)
        case .reset: requestReset(reason)
        case .halfClose:
            lasts { $0.isMute = true }
            afterOutput { [unowned self] in shutDownWriting() }
        case .oversizedFrame:
            lasts { $0.isMute = true }
            afterOutput { [unowned self] in
                writeRaw(session.oversizedFrame)
                afterOutput { [unowned self] in isSilent = true }
            }
        case .blackHole:
            lasts()
            pauseHandshake()
            guard !isAtOnce else {
                freeze()
                return false
            }
            afterOutput { [unowned self] in freeze() }
        case .closedWindow:
            lasts { $0.closedWindow = true }
            session.announce(streamWindowBytes: 0)
            return false
        case .oneStream:
            lasts { $0.oneStream = true }
            session.announce(maximumConcurrentStreams: 1)
            return false
        case .ignoredPings:
            lasts()
            session.answersPings = false
            return false
        }
        return true
    }

    private func leave(_ code: HTTP2ErrorCode, last: Int32) {
        afterOutput { [unowned self] in session.submitGoAway(code, last: last) }
    }

    private func lasts(_ change: (inout LastingFaults) -> Void = { _ in }) {
        guard !isClosed else { return }
        var faults =
            lastingFaults
            ?? LastingFaults(
                timer: loop.schedule(at: .now + configuration.faultLimit) { [unowned self] in
                    endFaults(closing: true)
                })
        change(&faults)
        lastingFaults = faults
    }

    /// Ends all that lasts, of the connection and of its calls.
    ///
    /// - Parameter closing: a black hole ends with the connection; otherwise it opens.
    func endFaults(closing: Bool) {
        loop.preconditionOnLoop()
        for stream in session.openStreams { (stream as? ServerStream)?.endFault() }
        guard let faults = lastingFaults.take() else { return }
        loop.cancel(faults.timer)
        session.answersPings = true
        if faults.closedWindow { session.announce(streamWindowBytes: configuration.http2.streamWindowBytes) }
        if faults.oneStream {
            session.announce(maximumConcurrentStreams: configuration.http2.maximumConcurrentStreams)
        }
        guard !faults.isMute, !(isFrozen && closing) else {
            return requestClose(Status(.unavailable, "the connection's fault has ended", certainty: .unknown))
        }
        guard isFrozen else { return }
        thaw()
        resumeHandshake()
    }
}
