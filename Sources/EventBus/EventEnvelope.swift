/// One event on its way: what a consumer needs to recognise, order, and trace it, around a payload it decodes itself.
public struct EventEnvelope: Sendable, Hashable {
    /// Derives from the event's content, so that a repeated publication is recognised. 1 to 200 characters.
    public var id: String
    public var topic: String
    /// Events of one key arrive in the order in which they were published.
    public var key: String
    public var payload: [UInt8]
    /// For example `traceparent`.
    public var headers: [String: String]
    /// When it happened, in microseconds since 1970.
    public var occurredAt: Int64

    public init(
        id: String, topic: String, key: String, payload: [UInt8], headers: [String: String] = [:], occurredAt: Int64
    ) {
        self.id = id
        self.topic = topic
        self.key = key
        self.payload = payload
        self.headers = headers
        self.occurredAt = occurredAt
    }
}
