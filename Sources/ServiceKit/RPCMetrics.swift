internal import Limits
public import RPCCore
internal import Synchronization

/// A server's and a channel's calls under the names of gRFC A66 and A94, with dots and units as Prometheus has them:
/// `grpc.server.call.duration` is `grpc_server_call_duration_seconds`.
public struct RPCMetrics: RPCMeter {
    private let metrics: Metrics

    public init(_ metrics: Metrics) { self.metrics = metrics }

    public func serverMethod(_ path: String) -> any ServerMethodMeter { ServerSeries(metrics, path) }

    public func clientMethod(_ path: String, target: String) -> any ClientMethodMeter {
        ClientSeries(metrics, path, target)
    }

    public func connections(target: String) -> any ConnectionMeter { ConnectionSeries(metrics, target) }
}

/// The name of a method as metrics have it: without the leading slash.
private func name(_ path: String) -> String { path.hasPrefix("/") ? String(path.dropFirst()) : path }

/// One series for each status that has occurred.
private final class ByStatus<Series: Sendable>: Sendable {
    private let make: @Sendable (Status.Code) -> Series
    /// The usual status, found without a lock.
    private let ok: Series
    private let others = Mutex<[Status.Code: Series]>([:])

    init(_ make: @escaping @Sendable (Status.Code) -> Series) {
        self.make = make
        ok = make(.ok)
    }

    subscript(_ code: Status.Code) -> Series {
        if code == .ok { return ok }
        return others.withLock { others in
            if let known = others[code] { return known }
            let made = make(code)
            others[code] = made
            return made
        }
    }
}

/// How long, and how much in each direction.
private final class CallSeries: Sendable {
    private let duration: Histogram
    private let sent: Histogram
    private let received: Histogram

    /// - Parameter prefix: `grpc_server_call` or `grpc_client_attempt`.
    init(_ metrics: Metrics, prefix: String, labels: KeyValuePairs<String, String>) {
        duration = metrics.histogram(
            "\(prefix)_duration_seconds", help: "From the start of a call to its end.", labels: labels,
            scale: .callDurations)
        sent = metrics.histogram(
            "\(prefix)_sent_total_compressed_message_size_bytes", help: "Message bytes of a call that went out.",
            labels: labels, scale: .messageSizes)
        received = metrics.histogram(
            "\(prefix)_rcvd_total_compressed_message_size_bytes", help: "Message bytes of a call that came in.",
            labels: labels, scale: .messageSizes)
    }

    func record(_ call: MeasuredCall) {
        duration.record(Int(call.durationNanoseconds))
        sent.record(call.sentMessageBytes)
        received.record(call.receivedMessageBytes)
    }
}

private final class ServerSeries: ServerMethodMeter {
    private let started: Counter
    private let ended: ByStatus<CallSeries>

    init(_ metrics: Metrics, _ path: String) {
        let method = name(path)
        started = metrics.counter(
            "grpc_server_call_started_total", help: "Calls that have begun.", labels: ["grpc_method": method])
        ended = ByStatus { code in
            CallSeries(
                metrics, prefix: "grpc_server_call",
                labels: ["grpc_method": method, "grpc_status": code.description])
        }
    }

    func callStarted() { started.increment() }
    func callEnded(_ call: MeasuredCall) { ended[call.status].record(call) }
}

private final class ClientSeries: ClientMethodMeter {
    private let started: Counter
    private let attempts: ByStatus<CallSeries>
    private let calls: ByStatus<Histogram>
    private let retries: Counter
    private let transparentRetries: Counter
    private let retryDelay: Histogram

    init(_ metrics: Metrics, _ path: String, _ target: String) {
        let labels: KeyValuePairs = ["grpc_method": name(path), "grpc_target": target]
        started = metrics.counter(
            "grpc_client_attempt_started_total", help: "Attempts at calls that have begun.", labels: labels)
        attempts = ByStatus { code in
            CallSeries(
                metrics, prefix: "grpc_client_attempt",
                labels: [
                    "grpc_method": name(path), "grpc_target": target, "grpc_status": code.description,
                ])
        }
        calls = ByStatus { code in
            metrics.histogram(
                "grpc_client_call_duration_seconds", help: "From the caller's start to its end, all attempts included.",
                labels: ["grpc_method": name(path), "grpc_target": target, "grpc_status": code.description],
                scale: .callDurations)
        }
        retries = metrics.counter(
            "grpc_client_call_retries_total", help: "Attempts that the retry policy has added.", labels: labels)
        transparentRetries = metrics.counter(
            "grpc_client_call_transparent_retries_total", help: "Attempts again at calls that no handler had seen.",
            labels: labels)
        retryDelay = metrics.histogram(
            "grpc_client_call_retry_delay_seconds", help: "What calls have waited between attempts.", labels: labels,
            scale: .callDurations)
    }

    func attemptStarted() { started.increment() }
    func attemptEnded(_ attempt: MeasuredCall) { attempts[attempt.status].record(attempt) }

    func callEnded(
        _ status: Status.Code, duration: Duration, retries: Int, transparentRetries: Int, retryDelay: Duration
    ) {
        calls[status].record(Int(duration.wholeNanoseconds))
        guard retries > 0 || transparentRetries > 0 else { return }
        self.retries.increment(by: retries)
        self.transparentRetries.increment(by: transparentRetries)
        self.retryDelay.record(Int(retryDelay.wholeNanoseconds))
    }
}

private final class ConnectionSeries: ConnectionMeter {
    private let succeeded: Counter
    private let failed: Counter
    private let disconnected: Counter
    private let open: Gauge

    init(_ metrics: Metrics, _ target: String) {
        let labels: KeyValuePairs = ["grpc_target": target]
        succeeded = metrics.counter(
            "grpc_subchannel_connection_attempts_succeeded_total", help: "Connections made.", labels: labels)
        failed = metrics.counter(
            "grpc_subchannel_connection_attempts_failed_total", help: "Attempts to connect that failed.", labels: labels
        )
        disconnected = metrics.counter(
            "grpc_subchannel_disconnections_total", help: "Connections that have ended.", labels: labels)
        open = metrics.gauge("grpc_subchannel_open_connections", help: "Connections that are open.", labels: labels)
    }

    func attemptSucceeded() { succeeded.increment() }
    func attemptFailed() { failed.increment() }
    func opened() { open.add(1) }

    func closed() {
        open.add(-1)
        disconnected.increment()
    }
}
