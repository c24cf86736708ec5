public import Limits

/// How a client makes one call.
public struct CallOptions: Sendable {
    /// From the start of the call to its end; nil leaves it to `Deadline.current`.
    public var timeout: Duration?
    /// Sent before the messages.
    public var metadata: Metadata
    /// Whether to wait for a connection (until the deadline) instead of failing with UNAVAILABLE while there is none;
    /// nil leaves it to the service config, which leaves it off.
    public var waitsForReady: Bool?
    /// Limit of one request message in bytes; nil sets none. A larger one fails with RESOURCE_EXHAUSTED before it goes.
    public var maximumRequestBytes: Int?
    /// Limit of one response message in bytes; nil takes the channel's own.
    public var maximumResponseBytes: Int?

    /// How the requests are compressed. A server that does not know the encoding fails the call with UNIMPLEMENTED.
    public var encoding: MessageEncoding

    public static let defaults = CallOptions()

    public init(
        timeout: Duration? = nil, metadata: Metadata = [:], waitsForReady: Bool? = nil,
        maximumRequestBytes: Int? = nil, maximumResponseBytes: Int? = nil, encoding: MessageEncoding = .identity
    ) {
        self.timeout = timeout
        self.metadata = metadata
        self.waitsForReady = waitsForReady
        self.maximumRequestBytes = maximumRequestBytes
        self.maximumResponseBytes = maximumResponseBytes
        self.encoding = encoding
    }

    /// The earlier of `timeout` from now and the deadline of the current task.
    public var effectiveDeadline: Deadline? {
        guard let timeout else { return Deadline.current }
        let proposed = Deadline.after(timeout)
        return min(proposed, Deadline.current ?? proposed)
    }
}
