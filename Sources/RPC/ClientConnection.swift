internal import EventLoop
internal import HTTP2
internal import RPCCore
internal import TLS

/// A client's connection to one address.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
    private(set) var peer: Peer
    /// Calls that were granted a place here, until their streams have closed.
    private var calls = 0
    /// The server takes no new calls here.
    private var isLeaving = false
    private var establishment: CheckedContinuation<Void, any Error>?
    private var isEstablished = false
    /// Called when a place has become free, when the server is leaving, and when the connection is gone.
    var onChange: (ClientConnection) -> Void = { _ in }

    init(
        loop: EventLoop, socket: StreamSocket, address: SocketAddress, tls: TLSEngine?, settings: HTTP2Settings
    ) {
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

    var takesCalls: Bool { isEstablished && !isLeaving && !isClosed }
    var hasRoom: Bool { takesCalls && calls < session.peerMaximumConcurrentStreams }
    var isIdle: Bool { calls == 0 }

    func reservePlace() { calls += 1 }

    func releasePlace() {
        calls -= 1
        onChange(self)
    }

    override func secured(_ certificate: PeerCertificate?) {
        peer = Peer(address: peer.address, identity: certificate.map(PeerIdentity.init))
    }

    override func receivedSettings() {
        isEstablished = true
        establishment?.resume()
        establishment = nil
        onChange(self)
    }

    override func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {
        isLeaving = true
        onChange(self)
    }

    override func didClose() {
        establishment?.resume(throwing: closeReason)
        establishment = nil
        onChange(self)
    }
}
