public import Limits

/// What a handler may know about, and do to, the call it serves, besides its messages.
public struct ServerContext: Sendable {
    /// The call underneath.
    public let call: any ServerCall

    public init(_ call: any ServerCall) { self.call = call }

    /// A context without a connection, to call a handler from a test.
    public init(
        testing path: String, metadata: Metadata = [:], deadline: Deadline? = nil,
        peer: Peer = Peer(address: "in-process")
    ) {
        call = DetachedCall(path: path, metadata: metadata, deadline: deadline, peer: peer)
    }

    /// `/package.Service/Method`.
    public var path: String { call.path }
    public var metadata: Metadata { call.metadata }
    public var deadline: Deadline? { call.deadline }
    public var peer: Peer { call.peer }
    /// Nobody waits for the answer any more. The handler's task is cancelled at the same time.
    public var isCancelled: Bool { call.isCancelled }

    /// Sends `metadata` ahead of the first message, at once. Throws when it, or a message, was sent already.
    public func sendInitialMetadata(_ metadata: Metadata) async throws { try await call.sendInitialMetadata(metadata) }

    /// Compresses the responses, if the client takes that encoding. Throws when the initial metadata was sent already.
    public func setResponseEncoding(_ encoding: MessageEncoding) async throws {
        try await call.setResponseEncoding(encoding)
    }

    /// Adds to what goes with the status at the end.
    public func appendTrailingMetadata(_ metadata: Metadata) { call.appendTrailingMetadata(metadata) }

    /// Lets the call, or its connection, go wrong as told, now or further on in its answer; for tests of clients.
    /// Throws `TransportFaultError`.
    public func carryOut(_ fault: TransportFault) async throws { try await call.carryOut(fault) }
}

/// A call that no transport carries: it has no messages, and what is sent goes nowhere.
private final class DetachedCall: ServerCall {
    let path: String
    let metadata: Metadata
    let deadline: Deadline?
    let peer: Peer

    init(path: String, metadata: Metadata, deadline: Deadline?, peer: Peer) {
        self.path = path
        self.metadata = metadata
        self.deadline = deadline
        self.peer = peer
    }

    var isCancelled: Bool { Task.isCancelled || deadline?.hasPassed == true }
    func receive() async throws -> [UInt8]? { nil }
    func send(_ message: [UInt8]) async throws {}
    func sendInitialMetadata(_ metadata: Metadata) async throws {}
    func appendTrailingMetadata(_ metadata: Metadata) {}
}
