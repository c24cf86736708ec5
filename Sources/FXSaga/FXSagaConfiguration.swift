public import Domain

/// How one instance of the exchange service behaves.
public struct FXSagaConfiguration: Sendable {
    /// Names this instance in leases and on the bus; unique among the instances that share a database, and the same
    /// after a restart, which then goes on at once. Nil makes one at random.
    public var instance: String?

    // MARK: Prices

    /// Our spread, 0 to 9999.
    public var spread: BasisPoints = .zero
    /// How long a quote can be taken.
    public var quoteLifetime: Duration = .seconds(30)
    /// What a customer may exchange on one date in Seoul, done and under way together, counted by the leg in this
    /// currency.
    public var dailyLimit = Money(minorUnits: 500_000_000, currency: .krw)

    // MARK: Driving

    /// What happens after unknown outcomes.
    public var rules = ExchangeRules()
    /// The longest wait for one answer of an account service.
    public var callTimeout: Duration = .seconds(3)
    /// The longest wait for one transaction of our own database.
    public var storeTimeout: Duration = .seconds(3)
    /// How long an exchange stays ours after its last sign of life; longer than a call and two transactions.
    public var lease: Duration = .seconds(12)
    /// Exchanges driven at the same time, 1 to 10,000.
    public var concurrentDrives = 64
    /// Exchanges that may wait to be driven; the next request is refused with RESOURCE_EXHAUSTED.
    public var waitingDrives = 1_024
    /// Exchanges that one recovery takes over.
    public var recoveryBatch = 100
    /// Time between recoveries.
    public var recoveryInterval: Duration = .milliseconds(500)

    // MARK: Messages

    /// Time between looks at the outbox, beside the wake-up by whoever fills it.
    public var relayInterval: Duration = .milliseconds(500)

    // MARK: Callers

    /// What is left of the caller's deadline when an exchange that has not ended is answered as it is.
    public var answerMargin: Duration = .milliseconds(200)
    /// The longest wait of a caller without a deadline.
    public var longestWait: Duration = .seconds(10)
    /// Time between looks at an exchange that another instance may be driving.
    public var pollInterval: Duration = .milliseconds(250)

    // MARK: Watching

    /// An exchange that has not ended by then is raised as an alert.
    public var alertAge: Duration = .seconds(300)
    /// Time between searches for such exchanges.
    public var watchInterval: Duration = .seconds(5)
    /// How long an expired quote is kept.
    public var quoteRetention: Duration = .seconds(86_400)

    public init() {}

    /// A setting that makes no sense, and what it has to be.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        public let setting: String
        public let rule: String
        public var description: String { "\(setting) \(rule)" }
    }

    /// Refuses what makes no sense, naming the setting.
    public func validate() throws(Invalid) {
        func check(_ setting: String, _ isValid: Bool, _ rule: String) throws(Invalid) {
            guard isValid else { throw Invalid(setting: setting, rule: rule) }
        }
        try check("instance", instance.map { (1...64).contains($0.utf8.count) } ?? true, "has 1 to 64 characters")
        try check("spread", BasisPoints.zero <= spread && spread < .whole, "is 0 to 9999 basis points")
        try check("dailyLimit", dailyLimit.isPositive, "is above zero")
        for (setting, duration) in [
            ("quoteLifetime", quoteLifetime), ("callTimeout", callTimeout), ("storeTimeout", storeTimeout),
            ("recoveryInterval", recoveryInterval), ("relayInterval", relayInterval), ("longestWait", longestWait),
            ("pollInterval", pollInterval), ("alertAge", alertAge), ("watchInterval", watchInterval),
        ] { try check(setting, duration > .zero, "is above zero") }
        for (setting, duration) in [("answerMargin", answerMargin), ("quoteRetention", quoteRetention)] {
            try check(setting, duration >= .zero, "is not negative")
        }
        try check(
            "lease", lease > callTimeout + storeTimeout * 2, "outlives one call and the two transactions around it")
        try check("concurrentDrives", (1...10_000).contains(concurrentDrives), "is 1 to 10,000")
        try check("waitingDrives", (1...1_000_000).contains(waitingDrives), "is 1 to 1,000,000")
        try check("recoveryBatch", (1...1_000).contains(recoveryBatch), "is 1 to 1,000")
    }
}
