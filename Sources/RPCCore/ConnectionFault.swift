/// What goes wrong with a whole connection, on purpose. Source: RFC 9113.
public enum ConnectionFault: Sendable, Hashable {
    /// What a GOAWAY says of the calls under way.
    public enum LastStream: Sendable, Hashable {
        /// 0: no call was processed, and each may be made again elsewhere.
        case none
        /// The one before the call that carries the fault out: this call and later ones were not processed.
        case beforeCall
        /// Calls under way are served to their end.
        case all
        /// A stream of the client: odd.
        case id(Int32)
    }

    /// GOAWAY with a code of RFC 9113 section 7. Calls above the last stream end; the connection ends with the others.
    case goAway(code: UInt32, last: LastStream)
    /// Closed after what was sent (FIN).
    case close
    /// Nothing more is sent (FIN), while what the client sends is still read. It ends with the connection.
    case halfClose
    /// Reset (RST of TCP): what the kernel has not sent is dropped.
    case reset
    /// Nothing is read or written, pings included, and the socket stays open. Once released it goes on where it was.
    case blackHole
    /// The window of streams shrinks to 0 for good: clients can begin calls, and send no message.
    case closedWindow
    /// A frame that is larger than the client takes; the rest of it never comes. It ends with the connection.
    case oversizedFrame
    /// The client may have one call at a time.
    case oneStream
    /// The client's pings are not answered.
    case ignoredPings

    /// Throws when no transport could carry it out.
    public func check() throws(TransportFaultError) {
        if case .goAway(_, last: .id(let id)) = self, id <= 0 || id % 2 == 0 {
            throw .invalid("a client has no stream \(id)")
        }
    }
}

/// A server whose connections can be broken from outside its calls.
///
/// What lasts on a connection (`blackHole`, `halfClose`, `oversizedFrame`, `closedWindow`, `oneStream`, `ignoredPings`)
/// lasts until `release`, the server's limit of faults, or its stop, whichever comes first; what new connections meet
/// lasts until `release` or the stop. May be used from any thread.
public protocol BreakableServer: Sendable {
    /// Carries `fault` out on the open connections whose client `isChosen` picks, and returns how many these were.
    ///
    /// Throws `TransportFaultError` for a fault that belongs to a call (`.beforeCall`) or cannot be.
    @discardableResult
    func breakConnections(
        _ fault: ConnectionFault, where isChosen: @escaping @Sendable (Peer) -> Bool
    ) async throws -> Int

    /// Carries `fault` out on each connection that is made from now on, as soon as it is accepted. Throws likewise.
    func breakNewConnections(_ fault: ConnectionFault) async throws

    /// Stops listening: clients are refused by the kernel. Connections that are open stay.
    func refuseConnections() async

    /// Ends all that lasts, and listens again. Throws `SystemError` when an address has been taken meanwhile, and
    /// `Status` when the server has stopped.
    func release() async throws
}

extension BreakableServer {
    /// Carries `fault` out on all open connections, and returns how many these were.
    @discardableResult
    public func breakConnections(_ fault: ConnectionFault) async throws -> Int {
        try await breakConnections(fault) { _ in true }
    }
}
