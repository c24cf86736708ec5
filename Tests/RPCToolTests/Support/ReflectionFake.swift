import RPC
import RPCCore
import Reflection

/// A server in this process that answers some versions of reflection and refuses the others.
struct ReflectionFake: RPCChannel {
    private let server: InProcessChannel
    private let answering: [String]
    private let refusal: Status
    private let needed: Metadata

    init(answering: [String], refusal: Status = Status(.unimplemented), needing needed: Metadata = [:]) {
        var registry = ServiceRegistry([ShopService()])
        registry.addReflection()
        server = InProcessChannel(services: registry)
        self.answering = answering
        self.refusal = refusal
        self.needed = needed
    }

    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        let isAllowed = needed.allSatisfy { options.metadata.values(for: $0.key).contains($0.value) }
        if isAllowed, answering.contains(where: { path.hasPrefix("/\($0).ServerReflection/") }) {
            return try await server.startCall(path, options: options)
        }
        guard !refusal.isOK else { return EndedCall() }
        throw refusal
    }
}

/// A call that ends with OK and without a message.
private final class EndedCall: ClientCall {
    var peer: Peer { Peer(address: "nowhere") }
    var trailingMetadata: Metadata { [:] }
    func send(_ message: [UInt8]) async throws { throw CallEnded() }
    func finishSending() async {}
    func initialMetadata() async throws -> Metadata { [:] }
    func receive() async throws -> [UInt8]? { nil }
    func cancel() {}
}
