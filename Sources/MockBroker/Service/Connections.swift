internal import RPCCore
internal import Synchronization

/// The servers whose connections a test may break, and which of these carry a stream of executions.
final class Connections: Sendable {
    private struct State {
        var servers: [any BreakableServer] = []
        /// Streams by their client's address.
        var streams: [String: Int] = [:]
    }

    private let state = Mutex(State())

    var servers: [any BreakableServer] { state.withLock { $0.servers } }
    var streams: Set<String> { state.withLock { Set($0.streams.keys) } }

    /// Forgets them: they hold this broker's services, and these hold this.
    func removeAll() { state.withLock { $0.servers = [] } }

    func add(_ server: any BreakableServer) { state.withLock { $0.servers.append(server) } }

    func streamBegins(_ address: String) { state.withLock { $0.streams[address, default: 0] += 1 } }

    func streamEnds(_ address: String) {
        state.withLock { state in
            let left = (state.streams[address] ?? 1) - 1
            state.streams[address] = left > 0 ? left : nil
        }
    }
}
