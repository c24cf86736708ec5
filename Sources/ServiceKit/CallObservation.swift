internal import Logging
public import RPCCore
internal import Synchronization

/// Around every call a service answers: takes up the caller's trace, counts, times, and logs what failed by our fault.
public struct ServerObservation: ServerInterceptor {
    private let environment: ServiceEnvironment
    private let methods = MethodMetrics()

    public init(_ environment: ServiceEnvironment) { self.environment = environment }

    public func intercept(
        _ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void
    ) async throws {
        let trace =
            call.metadata["traceparent"].flatMap { TraceContext(traceparent: $0)?.child(random: environment.random()) }
            ?? TraceContext(random: (environment.random(), environment.random(), environment.random()))
        let metrics = methods.of(call.path, in: environment.metrics, side: "server")
        let start = ContinuousClock.now
        try await TraceContext.$current.withValue(trace) {
            var status = Status.ok
            do {
                try await next(call)
            } catch {
                status = Status(describing: error)
                if Self.isOurFault(status.code) {
                    environment.log.error(
                        "call.failed",
                        metadata: [
                            "method": "\(call.path)", "status": "\(status.code)",
                            "error": "\(String(describing: error))",
                        ])
                }
                metrics.finish(status.code, after: start.duration(to: .now), in: environment.metrics)
                throw error
            }
            metrics.finish(status.code, after: start.duration(to: .now), in: environment.metrics)
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

/// Around every call a service makes: sends the current trace along, counts and times.
public struct ClientObservation: ClientInterceptor {
    private let environment: ServiceEnvironment
    private let methods = MethodMetrics()

    public init(_ environment: ServiceEnvironment) { self.environment = environment }

    public func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
        var options = options
        if let trace = TraceContext.current { try options.metadata.append(trace.traceparent, for: "traceparent") }
        let metrics = methods.of(path, in: environment.metrics, side: "client")
        let start = ContinuousClock.now
        do {
            let call = try await next.startCall(path, options: options)
            return ObservedCall(call) { [environment] status in
                metrics.finish(status.code, after: start.duration(to: .now), in: environment.metrics)
            }
        } catch {
            metrics.finish(Status(describing: error).code, after: start.duration(to: .now), in: environment.metrics)
            throw error
        }
    }
}

/// The series of each method, looked up once.
private final class MethodMetrics: Sendable {
    final class Series: Sendable {
        let path: String
        let side: String
        let duration: DurationHistogram
        private let codes = Mutex<[Status.Code: Counter]>([:])

        init(path: String, side: String, duration: DurationHistogram) {
            self.path = path
            self.side = side
            self.duration = duration
        }

        func finish(_ code: Status.Code, after time: Duration, in metrics: Metrics) {
            duration.record(time)
            let counter = codes.withLock { codes in
                if let known = codes[code] { return known }
                let made = metrics.counter(
                    "grpc_\(side)_call_total", help: "Calls by method and status.",
                    labels: ["grpc_method": path, "grpc_status": code.description])
                codes[code] = made
                return made
            }
            counter.increment()
        }
    }

    private let series = Mutex<[String: Series]>([:])

    func of(_ path: String, in metrics: Metrics, side: String) -> Series {
        series.withLock { series in
            if let known = series[path] { return known }
            let made = Series(
                path: path, side: side,
                duration: metrics.histogram(
                    "grpc_\(side)_call_duration_seconds", help: "Time to the end of a call.",
                    labels: ["grpc_method": path]))
            series[path] = made
            return made
        }
    }
}
