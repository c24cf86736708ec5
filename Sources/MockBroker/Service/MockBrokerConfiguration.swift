public import Contracts
public import Domain

/// How a mock broker is set up.
public struct MockBrokerConfiguration: Sendable {
    /// The file that holds the broker's truth; made when it is not there. Its folder must exist.
    public var journalPath: String
    /// How the broker names itself in its capability record.
    public var brokerID: BrokerID
    /// The behaviour of the namespace `default` at the start. What the control service has set since outlives a restart,
    /// until this or the rules change.
    public var behavior: Behavior
    /// Its rules at the start.
    public var rules: [BrokerRule]
    /// What trades here and at which price, in US dollars. What the control service has set since outlives a restart,
    /// for symbols that are not listed here.
    public var prices: [InstrumentID: Price]
    /// Prices that follow by themselves, instead of `prices`: for each symbol in order of time, 1 to 100,000 points.
    public var replayedPrices: [InstrumentID: [PricePoint]]
    /// Silence on a stream after which a heartbeat follows; above zero.
    public var heartbeatInterval: Duration
    /// How long a call without a deadline is held by a rule that gives no answer.
    public var noAnswerLimit: Duration
    /// How many client order ids are remembered at most; past it, new ones are refused. About 1 KB each.
    public var idLimit: Int
    /// Entries of each namespace's journal in memory, where they can be asked for; the file has all. About 400 bytes each.
    public var journalLimit: Int
    public var calendar: NYSECalendar
    public var clock: any BrokerClock

    /// - Parameter journalPath: see there; everything else has a default that may be changed afterwards.
    public init(journalPath: String) {
        self.journalPath = journalPath
        brokerID = Self.constant("mock")
        behavior = Behavior()
        // March 2010, the last one in vega_datasets' table of monthly stock prices.
        prices = [Self.constant("AAPL"): Price(unscaled: 223_0200)]
        replayedPrices = [:]
        rules = []
        heartbeatInterval = .seconds(1)
        noAnswerLimit = .seconds(30)
        idLimit = 1_000_000
        journalLimit = EvidenceLog.usualLimit
        calendar = .standard
        clock = SystemBrokerClock()
    }

    /// Refuses what makes no sense, naming the setting, and gives the rules.
    func validate() throws(InvalidSetting) -> [Rule] {
        do { try behavior.validate() } catch { throw error.within("behavior") }
        for (path, isValid) in [
            ("heartbeat_interval", heartbeatInterval > .zero), ("no_answer_limit", noAnswerLimit >= .zero),
            ("id_limit", idLimit > 0), ("journal_limit", journalLimit > 0),
            ("prices", prices.values.allSatisfy(\.isPositive)),
        ] where !isValid {
            throw InvalidSetting(path: path, problem: "is out of range")
        }
        for (symbol, points) in replayedPrices.sorted(by: { $0.key < $1.key }) {
            if let problem = PricePath.problem(points) { throw problem.within("replayed_prices[\(symbol)]") }
        }
        return try Rule.list(rules)
    }

    private static func constant<Kind>(_ text: String) -> ID<Kind> {
        guard let id = ID<Kind>(rawValue: text) else { preconditionFailure("\(text) is no id of this kind") }
        return id
    }
}
