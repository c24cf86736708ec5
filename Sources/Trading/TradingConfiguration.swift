public import Domain
public import Limits

/// What the trading service has to be told. Plain values; the program reads them from its environment.
public struct TradingConfiguration: Sendable {
    /// The broker to which orders go, with the facts that hold until the gateway has told its own.
    public var broker: Domain.BrokerCapabilities
    /// When an unknown order is asked about and sent again.
    public var policy: UnknownOrderPolicy
    /// What one order may be.
    public var limits: OrderLimits
    /// What can be traded.
    public var instruments: [Instrument]
    /// The last prices, for market orders and for the collar.
    public var lastPrices: [InstrumentID: Price]
    /// Fees that are held for on top of a purchase.
    public var fees: FeeSchedule
    /// Switches that stop new orders.
    public var engagedSwitches: Set<KillSwitch>
    public var calendar: NYSECalendar
    /// The currency with which a shortfall is paid.
    public var fundingCurrency: Currency

    /// Deadlines of calls to the gateway: an attempt, a cancel, a look-up.
    public var submitDeadline: Duration
    public var cancelDeadline: Duration
    public var lookUpDeadline: Duration
    /// Deadlines of calls to the account service, and to the exchange.
    public var accountDeadline: Duration
    public var exchangeDeadline: Duration

    /// How many orders of unknown outcome may be sent again at once, and at which distance in the long run.
    public var resendBurst: Int
    public var resendInterval: Duration

    /// How many requests to brokers are under way at most, and how many to accounts: two pools.
    public var brokerConcurrency: Int
    public var accountConcurrency: Int
    /// Names this process among those of one database; the same after a restart. What a process of this name had when it
    /// ended is taken up at once, so a name that two processes share makes them do some work twice.
    public var instance = "trading-1"
    /// How long a worker may have a piece of work before another takes it. Longer than the deadlines of the calls.
    public var lease: Duration
    /// How long the caller of PlaceOrder has its order to itself before the account lane takes it up.
    public var receiveGrace: Duration
    /// Distance of looks for due work; a change in this process wakes at once.
    public var pollInterval: Duration
    /// Waits between tries of work toward accounts.
    public var accountBackoff: Backoff
    /// How long executions that the broker counts may be missing before a person is told.
    public var overdueAfter: Duration

    /// Messages of the bus that are applied in one transaction, 1 to 256.
    public var executionBatch: Int
    /// Distance of tries to find the orders of parked executions.
    public var parkedRetryInterval: Duration
    /// Parked executions older than this raise an alert.
    public var parkedAlertAfter: Duration

    /// Recent updates that are kept in memory for subscribers; who is further behind reads the table.
    public var recentUpdates: Int
    /// Subscribers of updates at the same time.
    public var maximumSubscribers: Int

    public init(
        broker: Domain.BrokerCapabilities = .mock, policy: UnknownOrderPolicy = UnknownOrderPolicy(),
        limits: OrderLimits = .standard, instruments: [Instrument], lastPrices: [InstrumentID: Price],
        fees: FeeSchedule = .mockBroker, engagedSwitches: Set<KillSwitch> = [], calendar: NYSECalendar = .standard,
        fundingCurrency: Currency = .krw
    ) {
        self.broker = broker
        self.policy = policy
        self.limits = limits
        self.instruments = instruments
        self.lastPrices = lastPrices
        self.fees = fees
        self.engagedSwitches = engagedSwitches
        self.calendar = calendar
        self.fundingCurrency = fundingCurrency
        submitDeadline = .seconds(3)
        cancelDeadline = .seconds(3)
        lookUpDeadline = .seconds(3)
        accountDeadline = .seconds(3)
        exchangeDeadline = .seconds(8)
        resendBurst = 20
        resendInterval = .milliseconds(200)
        brokerConcurrency = 16
        accountConcurrency = 8
        lease = .seconds(20)
        receiveGrace = .seconds(20)
        pollInterval = .milliseconds(250)
        accountBackoff = Backoff(initial: .milliseconds(500), maximum: .seconds(30))
        overdueAfter = .seconds(60)
        executionBatch = 128
        parkedRetryInterval = .seconds(1)
        parkedAlertAfter = .seconds(60)
        recentUpdates = 4096
        maximumSubscribers = 4096
    }
}

extension Domain.BrokerCapabilities {
    /// What is assumed of the mock broker until the gateway tells: nothing that could make a second order.
    public static let mock: Domain.BrokerCapabilities = {
        do {
            return Domain.BrokerCapabilities(
                broker: try BrokerID("mock"), idempotencyMode: .echoOnly, deduplicationWindow: .zero,
                visibilityDelay: .seconds(1), looksUpByClientID: true, cancelsByClientID: true)
        } catch { preconditionFailure("the name is a valid id: \(error)") }
    }()
}

extension OrderLimits {
    /// At most 100,000 shares and a million dollars, within five percent of the last price, at any hour.
    public static let standard: OrderLimits = {
        do {
            return OrderLimits(
                maximumQuantity: try Quantity(shares: 100_000), maximumNotional: try Money("1000000.00", .usd),
                collar: BasisPoints(500), ignoresSessions: true)
        } catch { preconditionFailure("the limits are valid amounts: \(error)") }
    }()
}

extension FeeSchedule {
    /// What the mock broker takes: 7 hundredths of a percent of each fill, rounded for each fill; half a cent for each
    /// share covers the rounding of as many fills as there are shares.
    public static let mockBroker: FeeSchedule = {
        guard let start = CivilDate(year: 2000, month: 1, day: 1) else { preconditionFailure("a valid date") }
        return FeeSchedule(tables: [
            FeeTable(
                effectiveFrom: start,
                rules: [
                    FeeRule(
                        name: "COMMISSION", sides: [.buy, .sell], basis: .value(partsPerBillion: 700_000),
                        rounding: .ceiling),
                    FeeRule(
                        name: "COMMISSION_ROUNDING", sides: [.buy, .sell], basis: .share(billionths: 5_000_000),
                        rounding: .ceiling),
                ])
        ])
    }()
}
