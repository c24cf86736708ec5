internal import DequeModule
internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import TLS

/// One client's connection to a server. It has ended when it is closed and its last handler has returned.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
    let configuration: ServerConfiguration
    let methodIndex: MethodTable.Index
    /// Unchecked: no access of it calls out.
    @exclusivity(unchecked) private var methods: MethodTable
    let interceptors: [any ServerInterceptor]
    let address: SocketAddress
    private(set) var peer: Peer

    private let onEnd: (ServerConnection) -> Void
    private var runningHandlers = 0
    /// Calls whose handlers start when all that was read has been taken in. Unchecked: no access of it calls out.
    @exclusivity(unchecked) private var readyCalls: Deque<ServerStream> = []
    /// The call whose handler was started last, until it suspends or ends.
    private var servedCall: ServerStream?
    private var handshakeTimer: LoopTimer?
    private var handshakeIsPaused = false
    private var lifetimeTimer: LoopTimer?
    private var lifetime: ConnectionLifetime
    private var pingStrikes: PingStrikes
    private var badRequests: FrameBudget
    /// Runs while there is a request to be finished.
    private var progressTimer: LoopTimer?
    /// Runs while more responses are unread than may be.
    private var unreadTimer: LoopTimer?
    /// Until it is known that the client speaks HTTP/2; nil with TLS, which has agreed on it.
    private var opening: ConnectionOpening?
    /// What goes wrong on purpose and lasts; nil for nearly every connection.
    var lastingFaults: LastingFaults?
    private var isDraining = false
    private var hasNamedLastStream = false

    init(
        loop: EventLoop, socket: StreamSocket, address: SocketAddress, tls: TLSEngine?, server: ServerContents,
        blocks: BlockPool, onEnd: @escaping (ServerConnection) -> Void
    ) {
        configuration = server.configuration
        methodIndex = server.methods
        unsafe methods = MethodTable(server.methods)
        interceptors = server.interceptors
        self.address = address
        peer = Peer(address: address.description)
        lastCallNanoseconds = loop.passNanoseconds
        self.onEnd = onEnd
        lifetime = ConnectionLifetime(configuration.lifetime(), at: loop.passNanoseconds)
        pingStrikes = PingStrikes(
            minimumInterval: configuration.minimumPingInterval.nanoseconds,
            allowsWithoutCalls: configuration.permitsPingsWithoutCalls, strikes: 2)
        badRequests = FrameBudget(burst: configuration.badRequestBurst, perSecond: configuration.badRequestsPerSecond)
        opening = tls == nil ? ConnectionOpening() : nil
        super.init(
            .server, loop: loop, socket: socket, tls: tls, settings: configuration.http2,
            limits: Limits(
                messageMemoryBytes: configuration.requestMemoryBytesPerConnection,
                writeStallTimeout: configuration.writeStallTimeout,
                headerBlockTimeout: configuration.headerBlockTimeout),
            blocks: blocks)
        // A client speaks first, and an answer in HTTP/1.1 must not come after SETTINGS.
        isSilent = tls == nil
    }

    /// Starts to serve. Call once, on the loop.
    func serve() throws(SystemError) {
        try start()
        watchHandshake()
    }

    private func watchHandshake() {
        handshakeTimer = loop.schedule(at: .now + configuration.handshakeTimeout) { [unowned self] in
            handshakeTimer = nil
            refuse(.protocolError, "the client's preface did not come in time", .silence)
        }
    }

    override func receivePlain(_ bytes: Span<UInt8>) throws {
        guard opening != nil else { return try session.receive(bytes) }
        switch opening?.receive(bytes) {
        case nil, .undecided: break
        case .http2:
            let first = opening.take()?.bytes ?? []
            isSilent = false
            try session.receive(first.span)
        case .http1:
            refuse(saying: ConnectionOpening.http1Answer, "a request of HTTP/1.x where gRPC is spoken", .http1)
        case .other: refuse(.protocolError, "the first bytes are not the preface of HTTP/2", .notHTTP2)
        }
    }

    /// When a call last began or ended.
    private var lastCallNanoseconds: Int64 = 0

    override func makeStream() -> HTTP2Stream {
        lastCallNanoseconds = loop.passNanoseconds
        return ServerStream(self)
    }

    func streamClosed() { lastCallNanoseconds = loop.passNanoseconds }

    override func secured(_ certificate: PeerCertificate?) {
        peer = Peer(address: peer.address, identity: certificate.map(PeerIdentity.init))
    }

    override func receivedSettings() {
        guard handshakeTimer != nil else { return }
        cancelHandshakeTimer()
        checkLifetime()
    }

    override func receivedBytes() { lifetime.received(at: loop.passNanoseconds) }

    override func receivedPing() {
        guard
            pingStrikes.received(
                at: loop.passNanoseconds, hasCalls: !session.openStreams.isEmpty,
                callFramesSent: session.callFramesSent)
        else { return refuse(.enhanceYourCalm, "too_many_pings", .flood) }
    }

    override func didClose() {
        cancelHandshakeTimer()
        if let timer = lifetimeTimer { loop.cancel(timer) }
        lifetimeTimer = nil
        if let lastingFaults { loop.cancel(lastingFaults.timer) }
        for timer in [progressTimer, unreadTimer] { if let timer { loop.cancel(timer) } }
        (progressTimer, unreadTimer) = (nil, nil)
        if let misconduct {
            configuration.onRefusedConnection?(
                RefusedConnection(address: peer.address, reason: misconduct.reason, text: misconduct.text))
        }
        if runningHandlers == 0 { onEnd(self) }
    }

    func method(_ path: Span<UInt8>) -> ServedMethod? { unsafe methods.find(path) }

    // MARK: Handlers

    func callIsReady(_ call: ServerStream) { unsafe readyCalls.append(call) }

    /// Starts the handlers of the calls that are ready. One task serves call after call, so that a handler that never
    /// suspends needs none of its own; when one does suspend, the next task goes on with the rest.
    override func hasRead() {
        while unsafe !readyCalls.isEmpty {
            let task = Task.immediate(executorPreference: loop) { await serveReadyCalls() }
            servedCall.take()?.isServed(by: task)
        }
    }

    /// After a call that has suspended there are no others: the next task has served them.
    private func serveReadyCalls() async {
        while let call = unsafe readyCalls.popFirst() {
            servedCall = call
            await call.serve()
            // A handler can cancel the task that it runs in. The others are not to notice.
            if Task.isCancelled { break }
        }
        servedCall = nil
    }

    /// Counts a handler that is about to start; false when too many run already.
    func startHandler() -> Bool {
        guard runningHandlers < configuration.maximumRunningHandlersPerConnection else { return false }
        runningHandlers += 1
        return true
    }

    /// The client leaves too many responses unread to be given more.
    var isUnread: Bool { session.outboundBytes > configuration.responseMemoryBytesPerConnection }

    func handlerEnded() {
        runningHandlers -= 1
        if isUnread { watchUnread() }
        if isClosed, runningHandlers == 0 { onEnd(self) }
    }

    // MARK: Bad requests

    /// A client that makes too many of them is disconnected.
    ///
    /// - Parameter count: how many it stands for.
    func countBadRequest(
        _ status: Status, count: Int = 1, reason: RefusedConnection.Reason = .badRequests
    ) {
        guard !badRequests.charge(count, at: loop.passNanoseconds) else { return }
        refuse(.enhanceYourCalm, "too many bad requests, the last: \(status.message)", reason)
    }

    /// A request was begun: it has to go on.
    func watchProgress() {
        guard progressTimer == nil else { return }
        watchProgress(for: configuration.requestStallTimeout)
    }

    private func watchProgress(for time: Duration) {
        guard !isClosed else { return }
        progressTimer = loop.schedule(at: .now + time) { [unowned self] in
            progressTimer = nil
            let now = MonotonicClock.nanoseconds()
            var next: Int64?
            for stream in session.openStreams {
                guard let since = (stream as? ServerStream)?.owesSince(at: now) else { continue }
                let due = since + configuration.requestStallTimeout.nanoseconds
                if due <= now {
                    (stream as? ServerStream)?.stalled()
                } else {
                    next = min(next ?? due, due)
                }
            }
            if let next { watchProgress(for: .nanoseconds(next - now)) }
        }
    }

    /// The client has to read some of it in time.
    func watchUnread() {
        guard unreadTimer == nil, !isClosed else { return }
        let drained = session.drainedBytes
        unreadTimer = loop.schedule(at: .now + configuration.writeStallTimeout) { [unowned self] in
            unreadTimer = nil
            guard isUnread else { return }
            guard session.drainedBytes == drained else { return watchUnread() }
            refuse(
                .enhanceYourCalm, "\(session.outboundBytes) bytes of responses were left unread", .unreadResponses)
        }
    }

    // MARK: The end

    /// First step: asks for no new streams. The PING's answer shows that the client knows; streams opened before are
    /// still served (RFC 9113 section 6.8).
    func drain() {
        guard !isDraining, !isClosed else { return }
        isDraining = true
        endFaults(closing: true)
        lifetime.left(at: loop.passNanoseconds)
        session.submitShutdownNotice()
        session.submitPing()
    }

    /// Second step: names the last stream. The session has finished when the open streams have.
    override func receivedPingAcknowledgement() {
        guard isDraining else { return }
        hasNamedLastStream = true
        session.submitGoAway()
    }

    /// Calls that were on their way when the client was asked for no more still come before the PING's answer.
    override var expectsMore: Bool { isDraining && !hasNamedLastStream }

    // MARK: Keepalive, idleness, age

    /// Does what is due, and comes back when something else may be.
    private func checkLifetime() {
        guard !isClosed else { return }
        lifetimeTimer = nil
        let now = MonotonicClock.nanoseconds()
        lifetime.callsChanged(areOpen: !session.openStreams.isEmpty, at: lastCallNanoseconds)
        let (action, next) = lifetime.check(at: now)
        switch action {
        case nil: break
        case .ping: session.submitPing()
        case .leave: drain()
        case .giveUp: return requestClose(Status(.unavailable, "the client did not answer a ping", certainty: .unknown))
        case .cut: return requestClose(Status(.unavailable, "the connection was left", certainty: .unknown))
        }
        guard let next else { return }
        lifetimeTimer = loop.schedule(at: .now + .nanoseconds(max(1_000_000, next - now))) { [unowned self] in
            checkLifetime()
        }
    }

    /// The time limit of the handshake does not run while nothing is read.
    func pauseHandshake() {
        guard handshakeTimer != nil else { return }
        cancelHandshakeTimer()
        handshakeIsPaused = true
    }

    func resumeHandshake() {
        guard handshakeIsPaused else { return }
        handshakeIsPaused = false
        watchHandshake()
    }

    private func cancelHandshakeTimer() {
        guard let timer = handshakeTimer else { return }
        loop.cancel(timer)
        handshakeTimer = nil
    }
}

extension PeerIdentity {
    init(_ certificate: PeerCertificate) {
        self.init(commonName: certificate.commonName, dnsNames: certificate.dnsNames, uris: certificate.uris)
    }
}

extension ServerConfiguration {
    /// For one connection: its age is drawn here.
    func lifetime() -> ConnectionLifetime.Limits {
        ConnectionLifetime.Limits(
            keepaliveTime: keepaliveTime?.nanoseconds, keepaliveTimeout: keepaliveTimeout.nanoseconds,
            idle: maximumConnectionIdle?.nanoseconds,
            age: maximumConnectionAge.map { $0.nanoseconds / 100 * Int64.random(in: 90...110) },
            grace: connectionAgeGrace.nanoseconds)
    }
}

extension Duration {
    /// Cut at 73 years, so that sums of a few do not overflow.
    var nanoseconds: Int64 { max(.min / 4, min(wholeNanoseconds, .max / 4)) }
}
