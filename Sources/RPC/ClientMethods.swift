internal import EventLoop
internal import Limits
internal import RPCCore

/// What holds for one method that a channel calls: the service config's word and the series that count it.
final class ClientMethod: Sendable {
    let config: MethodConfig?
    let meter: (any ClientMethodMeter)?

    init(config: MethodConfig?, meter: (any ClientMethodMeter)?) {
        self.config = config
        self.meter = meter
    }
}

/// The methods that a loop has called, each looked up once. Past the limit, which only generated paths reach, calls
/// are counted as "other". Confined to the loop.
struct ClientMethods {
    static let limit = 1000

    private let contents: ClientContents
    private var known: [String: ClientMethod] = [:]
    private var other: (any ClientMethodMeter)?

    /// Nil when there is nothing to look up.
    init?(_ contents: ClientContents) {
        let config = contents.configuration.serviceConfig
        guard contents.configuration.meter != nil || !config.methods.isEmpty else { return nil }
        self.contents = contents
    }

    mutating func method(at path: String) -> ClientMethod {
        if let method = known[path] { return method }
        let config = contents.configuration.serviceConfig.method(at: path)
        guard known.count < Self.limit else { return ClientMethod(config: config, meter: otherMeter()) }
        let meter = contents.configuration.meter?.clientMethod(path, target: contents.target.description)
        let method = ClientMethod(config: config, meter: meter)
        known[path] = method
        return method
    }

    private mutating func otherMeter() -> (any ClientMethodMeter)? {
        if other == nil {
            other = contents.configuration.meter?.clientMethod("other", target: contents.target.description)
        }
        return other
    }
}

/// One call as it is to be made: the caller's options with the service config folded in.
struct CallPlan {
    let path: String
    private(set) var options: CallOptions
    private(set) var deadline: Deadline?
    let method: ClientMethod?

    init(_ path: String, _ options: CallOptions, _ deadline: Deadline?, _ method: ClientMethod?) {
        self.path = path
        self.options = options
        self.deadline = deadline
        self.method = method
        guard let config = method?.config else { return }
        self.options.waitsForReady = options.waitsForReady ?? config.waitsForReady
        if let bound = config.maximumRequestBytes {
            self.options.maximumRequestBytes = min(options.maximumRequestBytes ?? bound, bound)
        }
        if let bound = config.maximumResponseBytes {
            self.options.maximumResponseBytes = min(options.maximumResponseBytes ?? bound, bound)
        }
        if let timeout = config.timeout {
            let bound = Deadline.after(timeout)
            self.deadline = min(deadline ?? bound, bound)
        }
    }

    var waitsForReady: Bool { options.waitsForReady ?? false }
    var retryPolicy: RetryPolicy? { method?.config?.retryPolicy }
}

/// Counts one attempt.
struct AttemptMeasurement {
    private let meter: any ClientMethodMeter
    private let startNanoseconds: Int64

    /// Nil when nobody counts.
    init?(_ plan: CallPlan) {
        guard let meter = plan.method?.meter else { return nil }
        self.meter = meter
        startNanoseconds = MonotonicClock.nanoseconds()
        meter.attemptStarted()
    }

    /// - Parameter sentBytes: of messages on the wire, like the other.
    func end(_ code: Status.Code, sentBytes: Int = 0, receivedBytes: Int = 0) {
        meter.attemptEnded(
            MeasuredCall(
                code, durationNanoseconds: MonotonicClock.nanoseconds() - startNanoseconds,
                sentMessageBytes: sentBytes, receivedMessageBytes: receivedBytes))
    }
}

/// Counts one call with all its attempts, once.
struct CallMeasurement {
    private let meter: any ClientMethodMeter
    private let startNanoseconds: Int64

    /// Nil when nobody counts.
    init?(_ plan: CallPlan) {
        guard let meter = plan.method?.meter else { return nil }
        self.meter = meter
        startNanoseconds = MonotonicClock.nanoseconds()
    }

    func end(_ code: Status.Code, _ ledger: RetryLedger?) {
        meter.callEnded(
            code, duration: .nanoseconds(MonotonicClock.nanoseconds() - startNanoseconds),
            retries: ledger?.retries ?? 0, transparentRetries: ledger?.transparentRetries ?? 0,
            retryDelay: ledger?.delay ?? .zero)
    }
}
