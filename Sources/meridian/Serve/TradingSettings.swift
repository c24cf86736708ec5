import Domain
import Trading

/// Trading's configuration: the instruments of the demo's broker, and what the environment changes.
///
///   MERIDIAN_SUBMIT_DEADLINE_MS      how long one attempt may take (3000)
///   MERIDIAN_FIRST_RESEND_MS         the wait before an unknown order is sent again (1000, then 3 and 10 times that)
///   MERIDIAN_ASKS_BEFORE_RESENDING   false sends again without a look-up, where the broker's idempotency allows it
///   MERIDIAN_LEASE_MS                how long a worker may have a piece of work before another takes it (20000)
///   MERIDIAN_BROKER_CONCURRENCY      requests to brokers at a time (16)
struct TradingSettings {
    private let settings: ServiceSettings

    init(_ settings: ServiceSettings) { self.settings = settings }

    func configuration() throws -> TradingConfiguration {
        var configuration = try TradingConfiguration(
            policy: try policy(),
            limits: OrderLimits(
                maximumQuantity: Quantity(shares: 10_000),
                maximumNotional: Money(minorUnits: 100_000_000, currency: .usd),
                collar: BasisPoints(500), ignoresSessions: true),
            instruments: try Self.prices.keys.sorted().map {
                Instrument(id: try InstrumentID($0), name: $0, currency: .usd)
            },
            lastPrices: try Dictionary(uniqueKeysWithValues: Self.prices.map { (try InstrumentID($0), try Price($1)) }))
        if let deadline = try settings.milliseconds("submit.deadline.ms") { configuration.submitDeadline = deadline }
        if let lease = try settings.milliseconds("lease.ms") {
            configuration.lease = lease
            configuration.receiveGrace = lease
        }
        configuration.instance = settings.instance(of: .trading)
        configuration.brokerConcurrency = try settings.integer("broker.concurrency", default: 16, in: 1...10_000)
        return configuration
    }

    private func policy() throws -> UnknownOrderPolicy {
        let first = try settings.milliseconds("first.resend.ms") ?? .seconds(1)
        return UnknownOrderPolicy(
            resendDelays: [first, first * 3, first * 10],
            asksBeforeResending: settings.optionalText("asks.before.resending") != "false")
    }

    /// Closing prices of March 2010, the last in the table of monthly prices of the vega_datasets package.
    private static let prices = [
        "AAPL": "223.02", "AMZN": "128.82", "GOOG": "560.19", "IBM": "125.55", "MSFT": "28.80",
    ]
}
