public import EventLoop
internal import Synchronization

/// Where a channel learns the addresses of its target: DNS, a list that a program changes, a registry.
public protocol AddressResolver: Sendable {
    /// The addresses now, best first. Asked when the channel leaves idleness and after connections have failed, one
    /// time at once and not more often than `ClientConfiguration.minimumResolutionInterval`. Not on a loop. A failure
    /// leaves the channel with the addresses it has; without any it is asked again after a growing pause.
    func addresses() async throws -> [SocketAddress]

    /// New lists as they come, until the iteration is cancelled: for resolvers that are told of changes.
    func changes() -> AsyncStream<[SocketAddress]>
}

extension AddressResolver {
    /// None, and never any.
    public func changes() -> AsyncStream<[SocketAddress]> { AsyncStream { $0.finish() } }
}

/// Addresses that the program itself sets, also while channels use them.
public final class SettableAddresses: AddressResolver {
    private struct State {
        var addresses: [SocketAddress]
        var listeners: [UInt64: AsyncStream<[SocketAddress]>.Continuation] = [:]
        var lastListener: UInt64 = 0
    }

    private let state: Mutex<State>

    public init(_ addresses: [SocketAddress] = []) { state = Mutex(State(addresses: addresses)) }

    public func addresses() async throws -> [SocketAddress] { state.withLock(\.addresses) }

    public func changes() -> AsyncStream<[SocketAddress]> {
        let (stream, continuation) = AsyncStream<[SocketAddress]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.lastListener += 1
            state.listeners[state.lastListener] = continuation
            return state.lastListener
        }
        continuation.onTermination = { _ in _ = self.state.withLock { $0.listeners.removeValue(forKey: id) } }
        return stream
    }

    /// Replaces the addresses; every channel that uses them is told. Any thread.
    public func set(_ addresses: [SocketAddress]) {
        let listeners = state.withLock { state in
            state.addresses = addresses
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield(addresses) }
    }
}

/// The system's look-up of one name, on the blocking pool.
struct EndpointResolver: AddressResolver {
    let endpoint: Endpoint

    func addresses() async throws -> [SocketAddress] { try await endpoint.addresses() }
}
