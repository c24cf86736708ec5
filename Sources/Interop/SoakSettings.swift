/// How long and how strictly the soak cases run. The defaults are those of other implementations.
public struct SoakSettings: Sendable {
    public var iterations = 10
    /// Calls that may fail or be too slow.
    public var maximumFailures = 0
    /// Of one call; in `channel_soak` with its new channel.
    public var acceptableLatency: Duration = .seconds(1)
    /// For everything together; nil is the acceptable latency for each call.
    public var overallTimeout: Duration?
    /// From the start of one call to the start of the worker's next.
    public var minimumInterval: Duration = .zero
    public var requestBytes = InteropCase.largeRequest
    public var responseBytes = InteropCase.largeResponse
    /// Workers that call at the same time and share the iterations evenly.
    public var workers = 1

    /// Of one payload, either way.
    public static let maximumPayloadBytes = InteropService.maximumPayloadBytes

    public init() {}

    var limit: Duration { overallTimeout ?? acceptableLatency * iterations }
}
