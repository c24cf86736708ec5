public import EventLoop
public import RPCCore
public import TLS

/// A client's channel to one target: on each event loop that calls, one connection to the target (pick-first) or one to
/// each of its addresses (round-robin).
///
/// A call made on a loop of the group stays there; from anywhere else it hops to one of the loops and back. Errors are
/// `Status`, and its `certainty` says whether the server may have acted. `shutDown` before the loops end.
public final class RPCClientChannel: RPCChannel {
    private let group: EventLoopGroup
    private let loopChannels: [LoopChannel]
    private let contents: ClientContents

    /// - Parameter tls: made with `TLSContext(client:)`; nil speaks in the clear.
    public init(
        target: Target, tls: TLSContext? = nil, group: EventLoopGroup, configuration: ClientConfiguration = .init()
    ) {
        self.group = group
        let contents = ClientContents(
            target: target, configuration: configuration, tls: tls, loopCount: group.loops.count)
        self.contents = contents
        loopChannels = group.loops.enumerated().map { LoopChannel($0.element, contents, index: $0.offset) }
    }

    public convenience init(
        target: Endpoint, tls: TLSContext? = nil, group: EventLoopGroup, configuration: ClientConfiguration = .init()
    ) {
        self.init(target: Target(target), tls: tls, group: group, configuration: configuration)
    }

    public var isConfidential: Bool { contents.tls != nil }

    public func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        let deadline = options.effectiveDeadline
        let channel = channelForCall
        return try await channel.loop.perform { try await channel.startCall(path, options, deadline) }
    }

    public func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        let deadline = options.effectiveDeadline
        let channel = channelForCall
        return try await channel.loop.perform { try await channel.unary(path, request, options, deadline) }
    }

    // MARK: State

    /// The best state of its loops: one that is ready makes the channel ready.
    public var state: ConnectivityState { contents.states.joined }

    /// The state now and its changes, until the channel is shut down. A slow reader misses old ones.
    public func states() -> AsyncStream<ConnectivityState> { contents.states.watch() }

    /// Connects on every loop without waiting for a call.
    public func connect() async {
        for channel in loopChannels {
            await channel.loop.perform {
                channel.loop.preconditionOnLoop()
                channel.wake()
            }
        }
    }

    /// Takes no new calls, waits for the open ones for `grace`, then cancels them.
    public func shutDown(grace: Duration = .zero) async {
        await withTaskGroup { tasks in
            for channel in loopChannels {
                tasks.addTask {
                    await channel.loop.perform {
                        let loop = channel.loop
                        let timer = loop.schedule(at: .now + grace) { channel.abort() }
                        await channel.close()
                        loop.cancel(timer)
                    }
                }
            }
        }
    }

    private var channelForCall: LoopChannel {
        let loop = group.next
        guard let channel = loopChannels.first(where: { $0.loop === loop }) else {
            preconditionFailure("there is a part of the channel for each loop")
        }
        return channel
    }
}
