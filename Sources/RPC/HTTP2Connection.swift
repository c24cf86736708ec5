internal import EventLoop
internal import HTTP2
internal import RPCCore
internal import TLS

/// A socket and an HTTP/2 session on one loop: reads, and writes once per pass. Subclasses say what streams mean.
///
/// The loop keeps the connection alive while it watches the socket.
///
/// @unchecked: touched on the loop's thread only, except `loop`, which never changes. References may be handed around.
class HTTP2Connection: ReadinessHandler, FlushHandler, HTTP2SessionDelegate, @unchecked Sendable {
    final let loop: EventLoop
    final private(set) var session: HTTP2Session!
    final private(set) var isClosed = false
    /// Why the connection ended; what its open calls are told.
    final private(set) var closeReason = Status(.unavailable, "the connection was closed", certainty: .unknown)

    /// What the peer has done wrong, when that ends the connection; the first of several.
    final private(set) var misconduct: (reason: RefusedConnection.Reason, text: String)?
    /// What the session has to say is held back.
    final var isSilent = false

    /// What calls with large messages have set aside.
    final var memory: MessageMemory

    private let socket: StreamSocket
    private let limits: Limits
    private let tls: TLSEngine?
    private var interest: Readiness = .readable
    private var isListedForFlush = false
    private var closeIsRequested = false
    /// Bytes that the kernel did not take; what follows them waits inside the session.
    private var unsent: [UInt8] = []
    private var unsentOffset = 0

    /// Runs while the kernel takes nothing more.
    private var stallTimer: LoopTimer?
    /// The peer's kernel is told by RST, and ours keeps nothing.
    private var resetsOnClose = false
    /// Nothing is read or written, and the socket stays open.
    final private(set) var isFrozen = false
    /// What waits until everything written has gone out.
    private var waitingActions: [() -> Void] = []
    /// Runs while the peer owes the end of a header block.
    private var headerTimer: LoopTimer?

    private static let roundsPerFlush = 8

    /// What protects a connection beyond its session's settings.
    struct Limits {
        /// Of large messages that have begun and not been taken, all together.
        var messageMemoryBytes: Int
        /// How long the kernel may take nothing, since the peer reads nothing.
        var writeStallTimeout: Duration
        /// From the first frame of a header block to its last.
        var headerBlockTimeout: Duration
    }

    init(
        _ role: HTTP2Role, loop: EventLoop, socket: StreamSocket, tls: TLSEngine?, settings: HTTP2Settings,
        limits: Limits, blocks: BlockPool = BlockPool()
    ) {
        self.loop = loop
        self.socket = socket
        self.tls = tls
        self.limits = limits
        memory = MessageMemory(limitBytes: limits.messageMemoryBytes)
        session = HTTP2Session(role, settings: settings, blocks: blocks, delegate: self)
    }

    /// Watches the socket and sends the preface, after the TLS handshake if there is one. Call once, on the loop.
    final func start() throws(SystemError) {
        try loop.watch(socket.descriptor, for: interest, handler: self)
        if let tls { handshake(tls) }
        sessionHasOutput()
    }

    /// Ends the connection with `reason` after the current pass' output; safe inside callbacks and handlers.
    final func requestClose(_ reason: Status) {
        guard !isClosed, !closeIsRequested else { return }
        closeIsRequested = true
        closeReason = reason
        sessionHasOutput()
    }

    // MARK: For subclasses

    /// Bytes without TLS.
    func receivePlain(_ bytes: Span<UInt8>) throws { try session.receive(bytes) }
    /// The session has taken in what the socket had.
    func hasRead() {}
    func makeStream() -> HTTP2Stream { preconditionFailure("only servers take streams") }
    /// Whether there is something to wait for although the session has no streams and takes no more.
    var expectsMore: Bool { false }
    func receivedBytes() {}
    func receivedSettings() {}
    func receivedPing() {}
    func receivedPingAcknowledgement() {}
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {}
    /// The TLS handshake has ended well.
    func secured(_ certificate: PeerCertificate?) {}
    /// The socket is closed and every stream has been told.
    func didClose() {}

    // MARK: The loop's events

    final func ready(_ readiness: Readiness) {
        guard !isClosed else { return }
        guard !isFrozen else {
            // The loop reports it whatever it is asked for.
            if readiness.contains(.hangUp) { close(Status(.unavailable, "the peer has gone", certainty: .unknown)) }
            return
        }
        if !readiness.isDisjoint(with: [.readable, .hangUp]) { read() }
        if readiness.contains(.writable), !isClosed { sessionHasOutput() }
    }

    final func sessionHasOutput() {
        guard !isListedForFlush else { return }
        isListedForFlush = true
        loop.flushAtEndOfPass(self)
    }

    final func flush() {
        isListedForFlush = false
        guard !isClosed else { return }
        guard !isFrozen else {
            if closeIsRequested { close(closeReason) }
            return
        }
        do {
            try writeWhatFits()
        } catch {
            close(Status(.unavailable, "\(error)", certainty: .unknown))
            return
        }
        if closeIsRequested || session.isFinished && !expectsMore { return close(closeReason) }
        if !waitingActions.isEmpty, hasWrittenAll {
            let actions = waitingActions
            waitingActions = []
            for action in actions { action() }
        }
    }

    private func read() {
        session.nowNanoseconds = loop.passNanoseconds
        defer {
            watchHeaderBlock()
            hasRead()
        }
        do {
            switch try unsafe socket.receive(into: loop.scratch.input) {
            case .wouldBlock: break
            case .endOfStream: close(Status(.unavailable, "the peer closed the connection", certainty: .unknown))
            case .bytes(let count):
                receivedBytes()
                let bytes = unsafe Span<UInt8>(_unsafeBytes: loop.scratch.input[..<count])
                if let tls {
                    tls.receive(bytes)
                    try decrypt(tls)
                } else {
                    try receivePlain(bytes)
                }
                // The library may owe WINDOW_UPDATE or acknowledgements that it does not announce.
                if session.wantsOutput { sessionHasOutput() }
            }
        } catch let error as HTTP2Error {
            // GOAWAY with the reason is waiting.
            requestClose(Status(.internal, "HTTP/2: \(error)", certainty: .unknown))
        } catch let error as TLSError {
            // So may an alert.
            blame(.tls, "\(error)")
            requestClose(Status(.unavailable, "\(error)", certainty: .unknown))
        } catch {
            close(Status(.unavailable, "\(error)", certainty: .unknown))
        }
    }

    private func handshake(_ tls: TLSEngine) {
        do throws(TLSError) {
            if try tls.handshake() == .complete { secured(tls.peerCertificate) }
        } catch {
            blame(.tls, "\(error)")
            requestClose(Status(.unavailable, "\(error)", certainty: .notProcessed))
        }
    }

    private func decrypt(_ tls: TLSEngine) throws {
        if !tls.isEstablished {
            handshake(tls)
            sessionHasOutput()
        }
        while tls.isEstablished, !closeIsRequested {
            let plaintext = unsafe loop.scratch.plaintext
            switch try unsafe tls.read(into: plaintext) {
            case .bytes(let count): try session.receive(unsafe Span(_unsafeBytes: plaintext[..<count]))
            case .wantsMoreInput: return
            case .closed:
                return requestClose(Status(.unavailable, "the peer closed the connection", certainty: .unknown))
            }
        }
    }

    private func writeWhatFits() throws {
        for _ in 0..<Self.roundsPerFlush {
            if unsentOffset < unsent.count {
                let sent = try unsafe unsent.withUnsafeBytes { bytes throws(SystemError) in
                    try unsafe socket.send(UnsafeRawBufferPointer(rebasing: bytes[unsentOffset...]))
                }
                unsentOffset += sent
                if sent > 0 { stopStallTimer() }
                guard unsentOffset == unsent.count else { return waitForRoom() }
                unsent = []
                unsentOffset = 0
            }
            let output = unsafe loop.scratch.output
            let count = try fillOutput()
            guard count > 0 else { return watch(.readable) }
            let sent = try unsafe socket.send(UnsafeRawBufferPointer(rebasing: output[..<count]))
            if sent < count { unsafe unsent.append(contentsOf: output[sent..<count]) }
        }
        // Others have their turn; the kernel calls back at once.
        watch([.readable, .writable])
    }

    /// Puts the next bytes for the socket into the loop's output buffer and returns how many.
    private func fillOutput() throws -> Int {
        let output = unsafe loop.scratch.output
        guard !isSilent else { return 0 }
        guard let tls else { return try unsafe session.produce(into: output) }
        if tls.isEstablished, tls.outputBytes == 0 {
            let plaintext = unsafe loop.scratch.plaintext
            let count = try unsafe session.produce(into: plaintext)
            try unsafe tls.write(UnsafeRawBufferPointer(rebasing: plaintext[..<count]))
        }
        return unsafe tls.moveOutput(into: output)
    }

    /// The kernel takes nothing more, since the peer does not read.
    private func waitForRoom() {
        watch([.readable, .writable])
        guard stallTimer == nil else { return }
        stallTimer = loop.schedule(at: .now + limits.writeStallTimeout) { [unowned self] in
            stallTimer = nil
            // Otherwise the kernel would keep for minutes what nobody reads.
            resetsOnClose = true
            // Who reads nothing cannot be told; the last flush may still reach one that has just begun to read.
            refuse(.enhanceYourCalm, "nothing was read for \(limits.writeStallTimeout)", .unreadResponses)
        }
    }

    private func stopStallTimer() {
        guard let timer = stallTimer else { return }
        loop.cancel(timer)
        stallTimer = nil
    }

    /// A header block that goes on past the end of what was read has its time limit.
    private func watchHeaderBlock() {
        guard session.headerBlockIsOpen, !isClosed else {
            guard let timer = headerTimer else { return }
            loop.cancel(timer)
            headerTimer = nil
            return
        }
        guard headerTimer == nil else { return }
        headerTimer = loop.schedule(at: .now + limits.headerBlockTimeout) { [unowned self] in
            headerTimer = nil
            refuse(.enhanceYourCalm, "a header block was begun and not finished in time", .unfinishedHeaders)
        }
    }

    /// Tells the peer why, and closes.
    final func refuse(_ code: HTTP2ErrorCode, _ text: String, _ reason: RefusedConnection.Reason) {
        blame(reason, text)
        isSilent = false
        session.refuse(HTTP2Error(code, text))
        requestClose(Status(.unavailable, text, certainty: .unknown))
    }

    /// Sends these bytes, the only ones, to a peer that does not speak HTTP/2, and closes.
    final func refuse(saying bytes: [UInt8], _ text: String, _ reason: RefusedConnection.Reason) {
        precondition(isSilent, "the session has spoken")
        blame(reason, text)
        unsent = bytes
        requestClose(Status(.unavailable, text, certainty: .notProcessed))
    }

    final func blame(_ reason: RefusedConnection.Reason, _ text: String) {
        if misconduct == nil { misconduct = (reason, text) }
    }

    // MARK: Faults

    private var hasWrittenAll: Bool {
        unsentOffset == unsent.count && (isSilent || !session.wantsOutput) && tls?.outputBytes ?? 0 == 0
    }

    /// Runs `action` on the loop as soon as everything written so far has gone out; never, if the connection ends before.
    final func afterOutput(_ action: @escaping () -> Void) {
        guard !isClosed else { return }
        waitingActions.append(action)
        sessionHasOutput()
    }

    /// Reads and writes nothing until `thaw`.
    final func freeze() {
        guard !isClosed, !isFrozen else { return }
        isFrozen = true
        stopStallTimer()
        if let timer = headerTimer { loop.cancel(timer) }
        headerTimer = nil
        watch([])
    }

    final func thaw() {
        guard !isClosed, isFrozen else { return }
        isFrozen = false
        // Both report at once what has waited.
        watch([.readable, .writable])
    }

    /// Writes these bytes beside the session's frames. Call when everything written has gone out.
    final func writeRaw(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        do {
            if let tls, tls.isEstablished {
                let plaintext = unsafe loop.scratch.plaintext
                unsafe plaintext.copyBytes(from: bytes)
                try unsafe tls.write(UnsafeRawBufferPointer(rebasing: plaintext[..<bytes.count]))
            } else {
                unsent = bytes
                unsentOffset = 0
            }
            sessionHasOutput()
        } catch {
            requestClose(Status(.unavailable, "\(error)", certainty: .unknown))
        }
    }

    /// Tells the peer's kernel that nothing follows, and goes on reading.
    final func shutDownWriting() {
        isSilent = true
        socket.shutDownWriting()
    }

    /// As `requestClose`, and the peer's kernel is told by RST.
    final func requestReset(_ reason: Status) {
        resetsOnClose = true
        requestClose(reason)
    }

    private func watch(_ wanted: Readiness) {
        guard wanted != interest else { return }
        interest = wanted
        loop.rewatch(socket.descriptor, for: wanted)
    }

    private func close(_ reason: Status) {
        guard !isClosed else { return }
        isClosed = true
        closeReason = reason
        stopStallTimer()
        if let timer = headerTimer { loop.cancel(timer) }
        headerTimer = nil
        loop.unwatch(socket.descriptor)
        if let error = session.refusal {
            blame(error.code == .enhanceYourCalm ? .flood : .protocolError, error.description)
        }
        if let tls, unsentOffset == unsent.count, !isFrozen, !resetsOnClose { sayGoodbye(tls) }
        // Without FIN first, the kernel would send RST when there is something that nobody has read.
        if resetsOnClose { socket.resetOnClose() } else { socket.shutDownWriting() }
        waitingActions = []
        socket.close()
        session.close(.cancel)
        didClose()
    }

    /// Tells the peer that the end is no truncation. Whether it still arrives makes no difference any more.
    private func sayGoodbye(_ tls: TLSEngine) {
        tls.close()
        let output = unsafe loop.scratch.output
        let count = unsafe tls.moveOutput(into: output)
        guard count > 0 else { return }
        _ = try? unsafe socket.send(UnsafeRawBufferPointer(rebasing: output[..<count]))
    }
}
