internal import Synchronization

/// Whether a channel can take calls. Source: gRPC, "Connectivity Semantics and API".
public enum ConnectivityState: Sendable, Hashable {
    /// No connection, and none is being made: the next call makes one.
    case idle
    /// Looking for addresses or connecting; calls wait.
    case connecting
    /// Calls go out at once.
    case ready
    /// It cannot connect, and tries again after a pause; calls fail unless they wait for readiness.
    case transientFailure
    /// The channel is shut down.
    case shutdown
}

/// The states of a channel's loops, joined and told to whoever watches. Any thread.
final class ChannelStates: Sendable {
    private struct State {
        var loops: [ConnectivityState]
        var joined = ConnectivityState.idle
        var watchers: [UInt64: AsyncStream<ConnectivityState>.Continuation] = [:]
        var lastWatcher: UInt64 = 0
    }

    private let state: Mutex<State>

    init(loopCount: Int) {
        state = Mutex(State(loops: Array(repeating: .idle, count: loopCount)))
    }

    var joined: ConnectivityState { state.withLock(\.joined) }

    /// Tells the watchers under the lock, so that they see the changes in order: a yield only queues.
    func set(_ new: ConnectivityState, forLoop index: Int) {
        let ended = state.withLock { state in
            state.loops[index] = new
            let joined = Self.join(state.loops)
            guard joined != state.joined else { return [] as [AsyncStream<ConnectivityState>.Continuation] }
            state.joined = joined
            for watcher in state.watchers.values { watcher.yield(joined) }
            guard joined == .shutdown else { return [] }
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in ended { watcher.finish() }
    }

    /// The state now and its changes, until the channel is shut down. A slow reader misses old ones.
    func watch() -> AsyncStream<ConnectivityState> {
        let (stream, continuation) = AsyncStream<ConnectivityState>.makeStream(bufferingPolicy: .bufferingNewest(16))
        let id: UInt64? = state.withLock { state in
            continuation.yield(state.joined)
            guard state.joined != .shutdown else {
                continuation.finish()
                return nil
            }
            state.lastWatcher += 1
            state.watchers[state.lastWatcher] = continuation
            return state.lastWatcher
        }
        if let id {
            continuation.onTermination = { _ in _ = self.state.withLock { $0.watchers.removeValue(forKey: id) } }
        }
        return stream
    }

    /// Ready when a loop is; otherwise what is closest to it, among the loops that are used at all.
    private static func join(_ loops: [ConnectivityState]) -> ConnectivityState {
        if loops.contains(.ready) { return .ready }
        if loops.contains(.connecting) { return .connecting }
        if loops.contains(.transientFailure) { return .transientFailure }
        return loops.contains(.idle) ? .idle : .shutdown
    }
}
