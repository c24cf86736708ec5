internal import EventLoop
internal import HTTP2
internal import RPCCore
internal import TLS

/// What all connections of a server share; never changes.
struct ServerContents: Sendable {
    let configuration: ServerConfiguration
    let methods: MethodTable.Index
    let interceptors: [any ServerInterceptor]
    let tls: TLSContext?
}

/// The part of a server that lives on one loop: its connections there.
///
/// @unchecked: touched on the loop's thread only, except `loop` and `contents`, which never change.
final class ServerLoop: @unchecked Sendable {
    let loop: EventLoop
    private let contents: ServerContents
    private let onConnectionEnd: @Sendable (SocketAddress) -> Void
    private let blocks = BlockPool()
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var isDraining = false
    /// Carried out on each connection that is taken.
    var newConnectionFault: ConnectionFault?

    /// - Parameter onConnectionEnd: called for each connection that was taken, when it is gone.
    init(_ loop: EventLoop, _ contents: ServerContents, onConnectionEnd: @escaping @Sendable (SocketAddress) -> Void) {
        self.loop = loop
        self.contents = contents
        self.onConnectionEnd = onConnectionEnd
    }

    /// Serves an accepted connection.
    func take(_ socket: StreamSocket, from address: SocketAddress) {
        loop.preconditionOnLoop()
        guard !isDraining else { return onConnectionEnd(address) }
        do {
            let connection = ServerConnection(
                loop: loop, socket: socket, address: address, tls: try contents.tls.map { try TLSEngine($0) },
                server: contents, blocks: blocks
            ) { [unowned self] in ended($0) }
            try connection.serve()
            connections[ObjectIdentifier(connection)] = connection
            if let newConnectionFault { connection.carryOut(newConnectionFault) }
        } catch {
            // Out of descriptors or memory of the kernel: the client sees a closed connection and tries again.
            onConnectionEnd(address)
        }
    }

    /// Lets the open calls end, asks for no new ones, and returns when every connection is gone.
    func drain() async {
        loop.preconditionOnLoop()
        isDraining = true
        for connection in connections.values { connection.drain() }
        guard !connections.isEmpty else { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    /// Ends every connection and every call now.
    func abort() {
        loop.preconditionOnLoop()
        isDraining = true
        for connection in connections.values {
            connection.requestClose(Status(.unavailable, "the server is stopping", certainty: .unknown))
        }
    }

    /// Lets the connections go wrong whose client `isChosen` picks, and returns how many these were.
    func carryOut(_ fault: ConnectionFault, where isChosen: (Peer) -> Bool) -> Int {
        loop.preconditionOnLoop()
        let chosen = connections.values.filter { !$0.isClosed && isChosen($0.peer) }
        for connection in chosen { connection.carryOut(fault) }
        return chosen.count
    }

    /// Ends all faults that last.
    func release() {
        loop.preconditionOnLoop()
        newConnectionFault = nil
        for connection in connections.values { connection.endFaults(closing: false) }
    }

    private func ended(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        onConnectionEnd(connection.address)
        guard connections.isEmpty else { return }
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
