internal import Logging
public import RPCCore

/// Around every call a service answers: takes up the caller's trace, and logs what failed by our fault.
///
/// Of an error that says nothing for callers they get an id; the log has the same id with the details.
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
                guard let status = Status(declaredBy: error) else {
                    // The span is this call's alone.
                    log(error, of: call, as: .unknown, facts: ["id": "\(trace.spanID)"])
                    throw Status(.unknown, "internal error, id \(trace.spanID)")
                }
                if Self.isOurFault(status.code) { log(error, of: call, as: status.code) }
                throw error
            }
        }
    }

    private func log(_ error: any Error, of call: any ServerCall, as code: Status.Code, facts: Logger.Metadata = [:]) {
        let known: Logger.Metadata = [
            "method": "\(call.path)", "status": "\(code)", "error": "\(String(describing: error))",
        ]
        environment.log.error("call.failed", metadata: known.merging(facts) { $1 })
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
