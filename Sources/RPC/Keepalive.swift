internal import EventLoop
internal import HTTP2
internal import RPCCore

/// Pings a connection that has been silent, and ends it when it stays so. Source: gRFC A8.
///
/// Confined to the loop; the connection owns it and stops it at its end.
final class Keepalive {
    private enum Phase {
        /// Counts the silence.
        case listening(LoopTimer)
        /// A ping is under way.
        case asking(since: ContinuousClock.Instant, LoopTimer)
        /// No calls: nothing is asked before the next.
        case resting
        case stopped
    }

    private unowned let connection: ClientConnection
    private let settings: ClientKeepalive
    private var phase = Phase.resting

    init(_ settings: ClientKeepalive, _ connection: ClientConnection) {
        self.settings = settings
        self.connection = connection
    }

    func start() { listen() }

    func stop() {
        switch phase {
        case .listening(let timer), .asking(_, let timer): connection.loop.cancel(timer)
        case .resting, .stopped: break
        }
        phase = .stopped
    }

    /// The first call after a time without any: a long silence is looked into before the call relies on it.
    func callsBegin() {
        guard case .resting = phase else { return }
        listen()
    }

    func pingWasAnswered() {
        guard case .asking(_, let timer) = phase else { return }
        connection.loop.cancel(timer)
        listen()
    }

    private func listen() {
        phase = .listening(
            connection.loop.schedule(at: connection.lastRead + settings.interval) { [unowned self] in look() })
    }

    private func look() {
        guard case .listening = phase else { return }
        guard connection.lastRead + settings.interval <= .now else { return listen() }
        guard settings.permitsWithoutCalls || !connection.isIdle else {
            phase = .resting
            return
        }
        connection.session.submitPing()
        let now = ContinuousClock.now
        phase = .asking(
            since: now, connection.loop.schedule(at: now + settings.timeout) { [unowned self] in judge() })
    }

    private func judge() {
        guard case .asking(let instant, _) = phase else { return }
        // Any byte is a sign of life.
        guard connection.lastRead <= instant else { return listen() }
        connection.requestClose(
            Status(
                .unavailable, "keepalive: no sign of life within \(settings.timeout) of a ping", certainty: .unknown))
    }
}
