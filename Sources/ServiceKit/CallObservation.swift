internal import Logging
public import RPCCore

/// Around every call a service answers: takes up the caller's trace, and logs what failed by our fault.
public struct ServerObservation: ServerInterceptor {
    private let environment: ServiceEnvironment

    public init(_ environment: ServiceEnvironment) { self.environment = environment }

    public func intercept(
        _ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void
    ) async throws {
        let trace =
            call.metadata["traceparent"].flatMap { TraceContext(traceparent: $0)?.child(random: environment.random()) }
            ?? TraceContext(random: (environment.random(), environment.random(), environment.random()))
        try await TraceContext.$current.withValue(trace) {
            do {
                try await next(call)
            } catch {
                let status = Status(describing: error)
                if Self.isOurFault(status.code) {
                    environment.log.error(
                        "call.failed",
                        metadata: [
                            "method": "\(call.path)", "status": "\(status.code)",
                            "error": "\(String(describing: error))",
                        ])
                }
                throw error
            }
        }
    }

    private static func isOurFault(_ code: Status.Code) -> Bool {
        switch code {
        case .unknown, .internal, .dataLoss: true
        case .ok, .cancelled, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists, .permissionDenied,
            .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented, .unavailable,
            .unauthenticated:
            false
        }
    }
}

/// Around every call a service makes: sends the current trace along.
public struct ClientObservation: ClientInterceptor {
    public init() {}

    public func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
        var options = options
        if let trace = TraceContext.current { try options.metadata.append(trace.traceparent, for: "traceparent") }
        return try await next.startCall(path, options: options)
    }
}
