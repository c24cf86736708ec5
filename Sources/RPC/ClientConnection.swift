internal import EventLoop
internal import HTTP2
internal import RPCCore
internal import TLS

/// A client's connection to one address.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
    /// Of the channel, for messages.
    let target: String
    let address: SocketAddress
    private(set) var peer: Peer
    /// Calls that were granted a place here, until their streams have closed.
    private var calls = 0
    /// The server takes no new calls here, or this side wants none here.
    private var isLeaving = false
    /// It is closed as soon as its last call has ended.
    private var isRetired = false
    /// Whether one of the streams is the watch of the server's health, which is no call.
    private var carriesWatch = false
    private var establishment: CheckedContinuation<Void, any Error>?
    private var isEstablished = false
    private var keepalive: Keepalive?
    /// When the server was heard last, while there is a keepalive.
    private(set) var lastRead = ContinuousClock.now
    /// The server has answered a call, with whatever status, or said that it has taken one.
    var hasServed = false
    /// What its server says of its health.
    var health = Health.serving
    /// Asks for it.
    var watch: Task<Void, Never>?
    /// It has carried calls, or could have: it counts as opened.
    var wasOpened = false
    /// The server wants fewer pings.
    private(set) var wasPingedTooOften = false
    /// Called when calls end, and when it stops taking calls or is gone.
    var onPlaceFreed: () -> Void = {}
    var onChange: (ClientConnection) -> Void = { _ in }

    enum Health {
        case serving
        case pending
        case failing(Status)
    }

    init(
        loop: EventLoop, socket: StreamSocket, address: SocketAddress, tls: TLSEngine?, settings: HTTP2Settings,
        target: String
    ) {
        self.target = target
        self.address = address
        peer = Peer(address: address.description)
        super.init(
            .client, loop: loop, socket: socket, tls: tls, settings: settings,
            limits: Limits(
                messageMemoryBytes: 64 << 20, writeStallTimeout: .seconds(30), headerBlockTimeout: .seconds(10)))
    }

    /// Starts, and returns when the server's SETTINGS have come. Throws `Status` when they do not by `instant`.
    func establish(by instant: ContinuousClock.Instant) async throws {
        try start()
        let timer = loop.schedule(at: instant) { [unowned self] in
            requestClose(Status(.unavailable, "the server did not answer in time"))
        }
        defer { loop.cancel(timer) }
        try await withCheckedThrowingContinuation { establishment = $0 }
    }

    func startKeepalive(_ settings: ClientKeepalive) {
        keepalive = Keepalive(settings, self)
        lastRead = .now
        keepalive?.start()
    }

    var takesCalls: Bool { isEstablished && !isLeaving && !isClosed }
    var hasRoom: Bool { takesCalls && calls < session.peerMaximumConcurrentStreams }
    var isIdle: Bool { calls == (carriesWatch ? 1 : 0) }

    /// - Parameter isWatch: the place is for the watch of the server's health.
    func reservePlace(isWatch: Bool = false) {
        if isWatch { carriesWatch = true } else if isIdle { keepalive?.callsBegin() }
        calls += 1
    }

    func releasePlace(isWatch: Bool = false) {
        if isWatch { carriesWatch = false }
        calls -= 1
        if isRetired { closeIfIdle() }
        onPlaceFreed()
    }

    /// Takes no more calls, and closes when the last has ended.
    func retire() {
        isLeaving = true
        isRetired = true
        closeIfIdle()
    }

    private func closeIfIdle() {
        guard isIdle, !isClosed else { return }
        session.submitGoAway()
        requestClose(Status(.unavailable, "the connection is no longer needed", certainty: .notProcessed))
    }

    override func secured(_ certificate: PeerCertificate?) {
        peer = Peer(address: peer.address, identity: certificate.map(PeerIdentity.init))
    }

    override func receivedSettings() {
        isEstablished = true
        establishment?.resume()
        establishment = nil
        // The server may have changed how many streams it takes.
        onPlaceFreed()
    }

    override func receivedBytes() {
        if keepalive != nil { lastRead = .now }
    }

    override func receivedPingAcknowledgement() { keepalive?.pingWasAnswered() }

    override func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {
        isLeaving = true
        if calls > 0, lastStreamID > 0 { hasServed = true }
        wasPingedTooOften =
            code == .enhanceYourCalm && session.goAwayReason.elementsEqual("too_many_pings".utf8)
        onChange(self)
    }

    override func didClose() {
        keepalive?.stop()
        establishment?.resume(throwing: closeReason)
        establishment = nil
        onChange(self)
    }
}
