public import EventLoop
public import RPCCore
public import TLS

/// A client's channel to one target: one connection per event loop that calls it.
///
/// A call made on a loop of the group stays there; from anywhere else it hops to one of the loops and back. Errors are
/// `Status`, and its `certainty` says whether the server may have acted. `shutDown` before the loops end.
public final class RPCClientChannel: RPCChannel {
    private let group: EventLoopGroup
    private let subchannels: [Subchannel]

    /// - Parameter tls: made with `TLSContext(client:)`; nil speaks in the clear.
    public init(
        target: Endpoint, tls: TLSContext? = nil, group: EventLoopGroup, configuration: ClientConfiguration = .init()
    ) {
        self.group = group
        let contents = ClientContents(
            target: target, configuration: configuration, authority: configuration.authority ?? target.authority,
            tls: tls)
        subchannels = group.loops.map { Subchannel($0, contents) }
    }

    public func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        let deadline = options.effectiveDeadline
        let subchannel = subchannelForCall
        return try await subchannel.loop.perform { try await subchannel.startCall(path, options, deadline) }
    }

    public func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        let deadline = options.effectiveDeadline
        let subchannel = subchannelForCall
        return try await subchannel.loop.perform {
            try await subchannel.unary(path, request, options, deadline)
        }
    }

    /// Takes no new calls, waits for the open ones for `grace`, then cancels them.
    public func shutDown(grace: Duration = .zero) async {
        await withTaskGroup { tasks in
            for subchannel in subchannels {
                tasks.addTask {
                    await subchannel.loop.perform {
                        let loop = subchannel.loop
                        let timer = loop.schedule(at: .now + grace) { subchannel.abort() }
                        await subchannel.close()
                        loop.cancel(timer)
                    }
                }
            }
        }
    }

    private var subchannelForCall: Subchannel {
        let loop = group.next
        guard let subchannel = subchannels.first(where: { $0.loop === loop }) else {
            preconditionFailure("there is a subchannel for each loop")
        }
        return subchannel
    }
}
