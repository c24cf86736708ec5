internal import Limits
public import RPCCore
internal import Synchronization

/// The health service of gRPC (`grpc.health.v1`): whether a server, or one of its services, wants calls.
///
/// Starts with the server as a whole, the empty name, SERVING. `set` may be called from any thread.
public final class HealthService: Health {
    private struct State {
        var statuses: [String: HealthHealthCheckResponse.ServingStatus] = ["": .serving]
        var watchers: [UInt64: WakeUp] = [:]
        var lastWatcher: UInt64 = 0
    }

    /// Services that one answer to `List` may have, the server as a whole among them: enough for a dashboard, and too
    /// few for `List` to be used in place of `Check`.
    public static let listLimit = 100

    private let state = Mutex(State())
    private let watcherLimit: Int

    /// - Parameters:
    ///   - services: full names, SERVING from the start.
    ///   - watcherLimit: watches at the same time; the next is refused with RESOURCE_EXHAUSTED.
    public init(services: [String] = [], watcherLimit: Int = 1000) {
        self.watcherLimit = watcherLimit
        state.withLock { state in
            for service in services { state.statuses[service] = .serving }
        }
    }

    /// Changes one status and tells whoever watches.
    public func set(_ status: HealthHealthCheckResponse.ServingStatus, for service: String = "") {
        let watchers = state.withLock { state in
            state.statuses[service] = status
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.wake() }
    }

    /// Every service, and the server as a whole, to NOT_SERVING: before a graceful stop.
    public func stopServing() {
        let watchers = state.withLock { state in
            for service in state.statuses.keys { state.statuses[service] = .notServing }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.wake() }
    }

    public func check(
        _ request: HealthHealthCheckRequest, context: ServerContext
    ) async throws -> HealthHealthCheckResponse {
        guard let status = state.withLock({ $0.statuses[request.service] }) else {
            throw Status(.notFound, "unknown service")
        }
        return HealthHealthCheckResponse(status: status)
    }

    public func list(
        _ request: HealthHealthListRequest, context: ServerContext
    ) async throws -> HealthHealthListResponse {
        let statuses = state.withLock { $0.statuses }
        guard statuses.count <= Self.listLimit else {
            throw Status(.resourceExhausted, "there are more than \(Self.listLimit) services: use Check or Watch")
        }
        return HealthHealthListResponse(statuses: statuses.mapValues { HealthHealthCheckResponse(status: $0) })
    }

    public func watch(
        _ request: HealthHealthCheckRequest, responses: ResponseStream<HealthHealthCheckResponse>,
        context: ServerContext
    ) async throws {
        let wakeUp = WakeUp()
        let id: UInt64? = state.withLock { state in
            guard state.watchers.count < watcherLimit else { return nil }
            state.lastWatcher += 1
            state.watchers[state.lastWatcher] = wakeUp
            return state.lastWatcher
        }
        guard let id else { throw Status(.resourceExhausted, "too many watches") }
        defer { state.withLock { _ = $0.watchers.removeValue(forKey: id) } }
        var last: HealthHealthCheckResponse.ServingStatus?
        while !Task.isCancelled {
            let now = state.withLock { $0.statuses[request.service] } ?? .serviceUnknown
            if now != last {
                try await responses.write(HealthHealthCheckResponse(status: now))
                last = now
            }
            await wakeUp.wait()
        }
        throw CancellationError()
    }
}
