/// The gateway's settings.
public struct BrokerGatewayConfiguration: Sendable {
    /// Requests to one broker at a time; what comes on top is answered NOT_SENT at once, so that a broker that drowns
    /// takes nobody else's place.
    public var concurrencyPerBroker = 64
    /// The longest one request to a broker may take.
    public var brokerTimeout: Duration = .seconds(3)
    /// The longest the attempts journal may take to write one row.
    public var journalTimeout: Duration = .seconds(2)

    public init() {}
}
