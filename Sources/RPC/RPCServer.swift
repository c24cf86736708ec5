public import EventLoop
public import RPCCore
internal import Synchronization
public import TLS

/// A gRPC server on a group of event loops.
///
/// `bind` as often as needed, then `run`. A handler runs on its connection's loop: it must not block, and long
/// computation leaves the loop. `shutDown` ends gracefully; cancelling the task in `run` ends at once.
public final class RPCServer: BreakableServer, Sendable {
    private struct State {
        var listeners: [Listener] = []
        var connections: ConnectionCounts
        var nextLoop = 0
        var phase = Phase.serving
        /// Where it will listen again.
        var refusedAddresses: [SocketAddress] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private enum Phase { case serving, stopping, stopped }

    private let group: EventLoopGroup
    private let contents: ServerContents
    private let state: SharedState
    private let loops: [ServerLoop]

    /// What the loops and the listeners share.
    private final class SharedState: Sendable {
        let state: Mutex<State>

        init(_ configuration: ServerConfiguration) {
            let counts = ConnectionCounts(
                maximum: configuration.maximumConnections,
                maximumPerAddress: configuration.maximumConnectionsPerAddress)
            state = Mutex(State(connections: counts))
        }
    }

    /// - Parameters:
    ///   - tls: made with `TLSContext(server:)`; nil serves in the clear.
    ///   - interceptors: run around every call, the first outermost.
    public init(
        group: EventLoopGroup, services: ServiceRegistry, tls: TLSContext? = nil,
        configuration: ServerConfiguration = .init(), interceptors: [any ServerInterceptor] = []
    ) {
        self.group = group
        contents = ServerContents(
            configuration: configuration, methods: MethodTable.Index(services, configuration.meter),
            interceptors: interceptors, tls: tls)
        let shared = SharedState(configuration)
        state = shared
        let contents = contents
        loops = group.loops.map { loop in
            ServerLoop(loop, contents) { address in shared.state.withLock { $0.connections.leave(address) } }
        }
    }

    /// Listens at `endpoint` and starts to accept; returns where it listens, with the port that the kernel chose for 0.
    ///
    /// Throws `SystemError` (address in use, permission) or `NameError`.
    public func bind(to endpoint: Endpoint) async throws -> SocketAddress {
        try await listen(at: try await endpoint.addresses()[0])
    }

    private func listen(at address: SocketAddress) async throws -> SocketAddress {
        let loop = group.nextInTurn
        let listener = try await loop.perform { [self] in
            let listener = Listener(try ListeningSocket(at: address), loop: loop) { [self] socket, peer in
                handOut(socket, peer)
            }
            try listener.start()
            return listener
        }
        let isServing = state.state.withLock { state in
            guard state.phase == .serving else { return false }
            state.listeners.append(listener)
            return true
        }
        if !isServing {
            await loop.perform { listener.close() }
            throw Status(.unavailable, "the server has stopped")
        }
        return listener.address
    }

    /// Returns when the server has stopped, after `shutDown` or, at once, after this task's cancellation.
    public func run() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let stopped = state.state.withLock { state in
                    guard state.phase != .stopped else { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if stopped { continuation.resume() }
            }
        } onCancel: {
            group.loops[0].spawn { await self.shutDown(grace: .zero) }
        }
    }

    /// Accepts nothing more, lets the open calls end within `grace`, then cancels what is left. Returns when every
    /// connection is gone and every handler has returned: a handler that ignores its cancellation delays it.
    public func shutDown(grace: Duration = .seconds(30)) async {
        let listeners = state.state.withLock { state in
            if state.phase == .serving { state.phase = .stopping }
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { await listener.loop.perform { listener.close() } }
        await withTaskGroup { tasks in
            for server in loops {
                tasks.addTask {
                    await server.loop.perform {
                        let timer = server.loop.schedule(at: .now + grace) { server.abort() }
                        await server.drain()
                        server.loop.cancel(timer)
                    }
                }
            }
        }
        let waiters = state.state.withLock { state in
            state.phase = .stopped
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    // MARK: BreakableServer

    @discardableResult
    public func breakConnections(
        _ fault: ConnectionFault, where isChosen: @escaping @Sendable (Peer) -> Bool
    ) async throws -> Int {
        try check(fault)
        var count = 0
        for server in loops {
            count += await server.loop.perform { server.carryOut(fault, where: isChosen) }
        }
        return count
    }

    public func breakNewConnections(_ fault: ConnectionFault) async throws {
        try check(fault)
        for server in loops { await server.loop.perform { server.newConnectionFault = fault } }
    }

    public func refuseConnections() async {
        let listeners = state.state.withLock { state in
            state.refusedAddresses += state.listeners.map(\.address)
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { await listener.loop.perform { listener.close() } }
    }

    public func release() async throws {
        for server in loops { await server.loop.perform { server.release() } }
        while let address = state.state.withLock({ $0.refusedAddresses.popLast() }) {
            do {
                _ = try await listen(at: address)
            } catch {
                state.state.withLock { $0.refusedAddresses.append(address) }
                throw error
            }
        }
    }

    private func check(_ fault: ConnectionFault) throws(TransportFaultError) {
        try fault.check()
        if case .goAway(_, last: .beforeCall) = fault { throw .invalid("there is no call to be before") }
    }

    /// Gives an accepted connection to the next loop in turn. Called on the listener's loop.
    private func handOut(_ socket: StreamSocket, _ peer: SocketAddress) {
        let chosen: Int? = state.state.withLock { state in
            guard state.phase == .serving, state.connections.admit(peer) else { return nil }
            state.nextLoop = (state.nextLoop + 1) % loops.count
            return state.nextLoop
        }
        guard let chosen else {
            // Dropping the socket closes it.
            contents.configuration.onRefusedConnection?(
                RefusedConnection(
                    address: peer.description, reason: .tooManyConnections, text: "too many connections"))
            return
        }
        let server = loops[chosen]
        if server.loop.isCurrent {
            server.take(socket, from: peer)
        } else {
            server.loop.spawn { server.take(socket, from: peer) }
        }
    }
}
