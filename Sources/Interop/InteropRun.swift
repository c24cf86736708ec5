public import EventLoop
public import RPC
internal import RPCCore
public import TLS

/// The server that a case runs against, and what the case is told.
public struct InteropRun: Sendable {
    public var soak = SoakSettings()
    /// Gets a line for each call of a soak case, from any thread.
    public var report: @Sendable (String) -> Void = { _ in }

    private let target: Target
    private let tls: TLSContext?
    private let group: EventLoopGroup
    private let configuration: ClientConfiguration

    /// - Parameters:
    ///   - tls: nil speaks in the clear.
    ///   - authority: what `:authority` says; nil takes it from the target.
    public init(target: Target, tls: TLSContext? = nil, authority: String? = nil, group: EventLoopGroup) {
        self.target = target
        self.tls = tls
        self.group = group
        var configuration = ClientConfiguration()
        configuration.authority = authority
        configuration.maximumResponseBytes = InteropService.maximumPayloadBytes + 1024
        self.configuration = configuration
    }

    /// Runs `body` with a channel of its own, which is closed afterwards.
    func withChannel<Result>(_ body: (any RPCChannel) async throws -> Result) async throws -> Result {
        let channel = RPCClientChannel(target: target, tls: tls, group: group, configuration: configuration)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(channel))
        } catch {
            outcome = .failure(error)
        }
        await channel.shutDown()
        return try outcome.get()
    }
}
