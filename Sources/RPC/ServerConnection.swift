internal import EventLoop
internal import HTTP2
internal import RPCCore
internal import TLS

/// One client's connection to a server. It has ended when it is closed and its last handler has returned.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
    let configuration: ServerConfiguration
    var methods: MethodTable
    let interceptors: [any ServerInterceptor]
    private(set) var peer: Peer

    private let onEnd: (ServerConnection) -> Void
    private var runningHandlers = 0
    private var handshakeTimer: LoopTimer?
    private var isDraining = false

    init(
        loop: EventLoop, socket: StreamSocket, address: SocketAddress, tls: TLSEngine?, server: ServerContents,
        onEnd: @escaping (ServerConnection) -> Void
    ) {
        configuration = server.configuration
        methods = MethodTable(server.methods)
        interceptors = server.interceptors
        peer = Peer(address: address.description)
        self.onEnd = onEnd
        super.init(.server, loop: loop, socket: socket, tls: tls, settings: server.configuration.http2)
    }

    /// Starts to serve. Call once, on the loop.
    func serve() throws(SystemError) {
        try start()
        handshakeTimer = loop.schedule(at: .now + configuration.handshakeTimeout) { [unowned self] in
            handshakeTimer = nil
            requestClose(Status(.unavailable, "the client's preface did not come in time"))
        }
    }

    override func makeStream() -> HTTP2Stream { ServerStream(self) }

    override func secured(_ certificate: PeerCertificate?) {
        peer = Peer(address: peer.address, identity: certificate.map(PeerIdentity.init))
    }

    override func receivedSettings() { cancelHandshakeTimer() }

    override func didClose() {
        cancelHandshakeTimer()
        if runningHandlers == 0 { onEnd(self) }
    }

    // MARK: Handlers

    /// Counts a handler that is about to start; false when too many run already.
    func startHandler() -> Bool {
        guard runningHandlers < configuration.maximumRunningHandlersPerConnection else { return false }
        runningHandlers += 1
        return true
    }

    func handlerEnded() {
        runningHandlers -= 1
        if isClosed, runningHandlers == 0 { onEnd(self) }
    }

    // MARK: The end

    /// First step: asks for no new streams. The PING's answer shows that the client knows; streams opened before are
    /// still served (RFC 9113 section 6.8).
    func drain() {
        guard !isDraining, !isClosed else { return }
        isDraining = true
        session.submitShutdownNotice()
        session.submitPing()
    }

    /// Second step: names the last stream. The session has finished when the open streams have.
    override func receivedPingAcknowledgement() {
        if isDraining { session.submitGoAway() }
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
