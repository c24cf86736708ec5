internal import EventLoop
internal import HTTP2
internal import RPCCore

/// An answer that goes wrong as its handler has told. On the loop, but for `carryOut`.
extension ServerStream {
    func carryOut(_ fault: TransportFault) async throws {
        try await loop.perform { try self.arm(fault) }
    }

    private func arm(_ fault: TransportFault) throws(TransportFaultError) {
        loop.preconditionOnLoop()
        try fault.check()
        guard isOpen, case .running = phase, self.fault == nil else {
            throw .tooLate("the call has ended, or has a fault already")
        }
        if case .httpResponse = fault.action, responseHeadersWereSent { throw .tooLate("the headers have gone out") }
        let armed = AnswerFault(fault)
        self.fault = armed
        if fault.point == .atOnce || armed.progress.strikesAfterHeaders && responseHeadersWereSent {
            strike(armed, isAtOnce: fault.point == .atOnce)
        } else {
            phase = .faulty
        }
    }

    // MARK: The way to the point

    /// Sends a message of a call that waits for its fault, or throws since the call has ended.
    func sendFaulty(_ message: [UInt8], compressing: Bool) throws {
        guard case .faulty = phase, let fault else { throw Status(.cancelled, "the call has ended") }
        if !responseHeadersWereSent {
            try sendHeaders([:])
            guard case .faulty = phase else { return try sendNow(message, compressing: compressing) }
        }
        let framed = framed(message, compressing: compressing)
        let (count, strikes) = fault.progress.passes(framed.count)
        write(OutboundChunk(Array(framed[..<count])))
        if strikes { strike(fault) }
    }

    /// The headers of a call that waits for its fault have gone out.
    func faultyHeadersWereSent() {
        guard let fault, fault.progress.strikesAfterHeaders else { return }
        strike(fault)
    }

    /// The answer would end here. Returns whether the fault has ended it instead.
    func faultEndsAnswer() -> Bool {
        guard let fault else { return false }
        return strike(fault)
    }

    // MARK: The fault

    /// Returns whether the answer has ended.
    @discardableResult
    private func strike(_ fault: AnswerFault, isAtOnce: Bool = false) -> Bool {
        switch fault.action {
        case .trickle(let bytes, let interval):
            phase = .running
            trickle(fault, bytes, every: interval)
            return false
        case .connection(let connectionFault):
            guard server.carryOut(connectionFault, by: self, isAtOnce: isAtOnce) else {
                self.fault = nil
                phase = .running
                return false
            }
            breakOff()
            // It stays unanswered after the release.
            if connectionFault == .blackHole { fallSilent(fault) }
        case .resetStream(let code):
            breakOff()
            let code = HTTP2ErrorCode(rawValue: code)
            if responseHeadersWereSent { finish(resetting: code) } else { reset(code, onPurpose: true) }
        case .endStream:
            breakOff()
            if responseHeadersWereSent { finish() } else { respond(Self.plainHeaders, endsStream: true) }
        case .omitStatus:
            breakOff()
            begin()
            var trailers = HeaderBlock()
            trailers.append("grpc-message", "")
            trailers.append(trailingMetadata)
            finish(trailers: trailers)
        case .silence:
            breakOff()
            fallSilent(fault)
        case .truncatedMessage(let announced, let content):
            breakOff()
            begin()
            write(OutboundChunk(MessagePrefix(length: announced).bytes + content))
            finish()
        case .httpResponse(let status, let type, let body):
            breakOff()
            var headers = HeaderBlock()
            headers.append(":status", String(status))
            headers.append("content-type", type)
            respond(headers, endsStream: body.isEmpty)
            write(OutboundChunk(body))
            finish()
        }
        return true
    }

    /// Nothing that the handler does reaches the client any more.
    private func breakOff() {
        stopAnswering()
        cancel(Status(.cancelled, "the call was broken off by a fault"))
    }

    private func begin() {
        guard !responseHeadersWereSent else { return }
        responseHeadersWereSent = true
        respond(Self.plainHeaders, endsStream: false)
    }

    private func fallSilent(_ fault: AnswerFault) {
        fault.isSilent = true
        fault.timer = loop.schedule(at: .now + server.configuration.faultLimit) { [unowned self] in endFault() }
    }

    private func trickle(_ fault: AnswerFault, _ bytes: Int, every interval: Duration) {
        // What was sent before is not held back.
        allowedBytes = outboundBytes + bytes
        drip(fault, bytes, every: interval, until: .now + server.configuration.faultLimit)
    }

    private func drip(
        _ fault: AnswerFault, _ bytes: Int, every interval: Duration, until end: ContinuousClock.Instant
    ) {
        fault.timer = loop.schedule(at: .now + interval) { [unowned self] in
            guard .now < end else { return endFault() }
            allowedBytes = bytes
            drip(fault, bytes, every: interval, until: end)
        }
    }

    /// Ends what lasts: a silent call is reset, and a trickle becomes a stream.
    func endFault() {
        guard let fault else { return }
        fault.stopTimer(on: loop)
        allowedBytes = nil
        if fault.isSilent { reset(.cancel) }
    }
}
