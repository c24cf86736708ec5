/// Code that runs around every call of a server: authentication, logs, metrics, traces.
public protocol ServerInterceptor: Sendable {
    /// Calls `next` once to go on, with `call` or with a `ForwardingServerCall` around it to see the messages; or throws
    /// to refuse, or sends messages of its own.
    /// Returning without calling `next` ends the call with OK and no message.
    func intercept(
        _ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void
    ) async throws
}

extension ServerMethod {
    /// Serves one call through `interceptors`, the first outermost, and says how it ended.
    public func run(_ call: any ServerCall, through interceptors: [any ServerInterceptor] = []) async -> Status {
        do {
            if interceptors.isEmpty {
                try await serve(call)
            } else {
                try await run(call, interceptors[...])
            }
            return .ok
        } catch {
            return Status(handlerFailure: error)
        }
    }

    private func run(_ call: any ServerCall, _ interceptors: ArraySlice<any ServerInterceptor>) async throws {
        guard let first = interceptors.first else { return try await serve(call) }
        try await first.intercept(call) { call in try await run(call, interceptors.dropFirst()) }
    }
}
