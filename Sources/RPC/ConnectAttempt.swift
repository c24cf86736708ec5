internal import EventLoop
internal import HTTP2
internal import RPCCore
internal import TLS

/// One attempt to connect to one address: socket, TLS, and HTTP/2 up to the server's SETTINGS.
///
/// @unchecked: touched on the loop only.
final class ConnectAttempt: @unchecked Sendable {
    private enum Phase {
        case new
        case connecting(ConnectWait)
        case establishing(ClientConnection)
        case ended
    }

    private let loop: EventLoop
    private let address: SocketAddress
    private let contents: ClientContents
    private var phase = Phase.new

    init(_ address: SocketAddress, _ contents: ClientContents, _ loop: EventLoop) {
        self.address = address
        self.contents = contents
        self.loop = loop
    }

    /// Throws `Status`, which names the address; after cancellation too.
    func run(by instant: ContinuousClock.Instant) async throws(Status) -> ClientConnection {
        loop.preconditionOnLoop()
        do {
            return try await withTaskCancellationHandler {
                try await connect(by: instant)
            } onCancel: {
                if loop.isCurrent { giveUp() } else { loop.spawn { self.giveUp() } }
            }
        } catch {
            phase = .ended
            let reason = (error as? Status)?.message ?? "\(error)"
            throw Status(.unavailable, "\(address): \(reason)", certainty: .notProcessed)
        }
    }

    private func connect(by instant: ContinuousClock.Instant) async throws -> ClientConnection {
        guard !Task.isCancelled else { throw Self.givenUp }
        let socket = try StreamSocket.connecting(to: address)
        let wait = ConnectWait(socket, loop)
        phase = .connecting(wait)
        guard try await wait.wait(until: instant) else { throw Status(.unavailable, "connecting took too long") }
        try socket.finishConnecting()
        guard !Task.isCancelled else { throw Self.givenUp }
        let tls = try contents.tls.map { try TLSEngine($0, serverName: contents.target.serverName(at: address)) }
        let connection = ClientConnection(
            loop: loop, socket: socket, address: address, tls: tls, settings: contents.configuration.http2,
            target: contents.target.description)
        phase = .establishing(connection)
        try await connection.establish(by: instant)
        phase = .ended
        return connection
    }

    private func giveUp() {
        loop.preconditionOnLoop()
        switch phase {
        case .new, .ended: break
        case .connecting(let wait): wait.giveUp()
        case .establishing(let connection): connection.requestClose(Self.givenUp)
        }
    }

    private static let givenUp = Status(.unavailable, "the attempt was given up", certainty: .notProcessed)
}
