internal import EventLoop
internal import HTTP2
internal import RPCCore

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

    private let socket: StreamSocket
    private var interest: Readiness = .readable
    private var isListedForFlush = false
    private var closeIsRequested = false
    /// Bytes that the kernel did not take; what follows them waits inside the session.
    private var unsent: [UInt8] = []
    private var unsentOffset = 0

    private static let roundsPerFlush = 8

    init(_ role: HTTP2Role, loop: EventLoop, socket: StreamSocket, settings: HTTP2Settings) {
        self.loop = loop
        self.socket = socket
        session = HTTP2Session(role, settings: settings, delegate: self)
    }

    /// Watches the socket and sends the preface. Call once, on the loop.
    final func start() throws(SystemError) {
        try loop.watch(socket.descriptor, for: interest, handler: self)
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

    func makeStream() -> HTTP2Stream { preconditionFailure("only servers take streams") }
    func receivedSettings() {}
    func receivedPingAcknowledgement() {}
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {}
    /// The socket is closed and every stream has been told.
    func didClose() {}

    // MARK: The loop's events

    final func ready(_ readiness: Readiness) {
        guard !isClosed else { return }
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
        do {
            try writeWhatFits()
        } catch {
            close(Status(.unavailable, "\(error)", certainty: .unknown))
            return
        }
        if closeIsRequested || session.isFinished { close(closeReason) }
    }

    private func read() {
        do {
            switch try unsafe socket.receive(into: loop.scratch.input) {
            case .wouldBlock: break
            case .endOfStream: close(Status(.unavailable, "the peer closed the connection", certainty: .unknown))
            case .bytes(let count):
                try session.receive(unsafe Span(_unsafeBytes: loop.scratch.input[..<count]))
                // The library may owe WINDOW_UPDATE or acknowledgements that it does not announce.
                if session.wantsOutput { sessionHasOutput() }
            }
        } catch let error as HTTP2Error {
            // GOAWAY with the reason may be waiting.
            requestClose(Status(.internal, "HTTP/2: \(error)", certainty: .unknown))
        } catch {
            close(Status(.unavailable, "\(error)", certainty: .unknown))
        }
    }

    private func writeWhatFits() throws {
        for _ in 0..<Self.roundsPerFlush {
            if unsentOffset < unsent.count {
                let sent = try unsafe unsent.withUnsafeBytes { bytes throws(SystemError) in
                    try unsafe socket.send(UnsafeRawBufferPointer(rebasing: bytes[unsentOffset...]))
                }
                unsentOffset += sent
                guard unsentOffset == unsent.count else { return watch([.readable, .writable]) }
                unsent = []
                unsentOffset = 0
            }
            let output = unsafe loop.scratch.output
            let count = try unsafe session.produce(into: output)
            guard count > 0 else { return watch(.readable) }
            let sent = try unsafe socket.send(UnsafeRawBufferPointer(rebasing: output[..<count]))
            if sent < count { unsafe unsent.append(contentsOf: output[sent..<count]) }
        }
        // Others have their turn; the kernel calls back at once.
        watch([.readable, .writable])
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
        loop.unwatch(socket.descriptor)
        socket.close()
        session.close(.cancel)
        didClose()
    }
}
