public import Domain

/// What the broker is, apart from its faults, which are rules. The default takes orders at any hour, fills everything
/// marketable at once and remembers ids for ever.
public struct Behavior: Hashable, Sendable {
    /// The seed of every draw.
    public var seed: Int64 = 0
    /// What a repeated client order id does.
    public var idempotencyMode = IdempotencyMode.returnOriginal
    /// For how long an id is remembered; nil means for ever.
    public var dedupWindow: Duration?
    /// Within what an id is unique.
    public var idScope = IDScope.account
    /// A repeat with other content gets the first answer, too, instead of a refusal.
    public var ignoresChangedRepeats = false
    /// A look-up misses an accepted order for this long.
    public var visibilityDelay = Duration.zero
    /// Which orders fill by themselves. Decided when an order is accepted, a price moves, or this is set.
    public var fillMode = FillMode.marketable
    /// Of the traded amount, per fill, rounded half up to the cent.
    public var commissionRate = BasisPoints(7)
    /// Replies do not say which rules fired.
    public var hidesDecisions = false
    /// When orders are taken to the market, and fill.
    public var sessionMode = SessionMode.always
    /// US dollars of an account at its first use.
    public var openingCash = Money(minorUnits: 100_000_000, currency: .usd)
    /// Refuses what the account could not pay for, or does not have.
    public var checksBuyingPower = false

    public init() {}

    /// When orders fill.
    public enum FillMode: UInt8, Hashable, Sendable, CaseIterable {
        /// Market orders, and limit orders that the price touches.
        case marketable = 1
        /// Only by hand.
        case manual = 2
    }

    /// When the market is open.
    public enum SessionMode: UInt8, Hashable, Sendable, CaseIterable {
        /// At any hour.
        case always = 1
        /// The core session of the calendar.
        case core
        /// The core session and the hours before and after it.
        case extended
    }

    /// Within what a client order id is unique.
    public enum IDScope: UInt8, Hashable, Sendable, CaseIterable {
        /// The account.
        case account = 1
        /// The account and the trade date.
        case day
        /// The account and the week, which ends after Friday's trade date.
        case week
    }
}

extension Behavior {
    /// No delay may be longer.
    static let longest = Duration.seconds(86_400)
    /// No window may be longer: a hundred years.
    static let longestWindow = Duration.seconds(100 * 365 * 86_400)

    /// Refuses what makes no sense, naming the field by its path in the control contract.
    public func validate() throws(InvalidSetting) {
        guard (.zero...Self.longest).contains(visibilityDelay) else {
            throw InvalidSetting(path: "visibility_delay", problem: "must be zero to a day")
        }
        if let dedupWindow, !(.zero...Self.longestWindow).contains(dedupWindow) {
            throw InvalidSetting(path: "dedup_window", problem: "must be zero to a hundred years")
        }
        guard openingCash.currency == .usd, !openingCash.isNegative else {
            throw InvalidSetting(path: "opening_cash", problem: "must be US dollars, not below zero")
        }
        guard (0...10_000).contains(commissionRate.rawValue) else {
            throw InvalidSetting(path: "commission_basis_points", problem: "must be 0 to 10000")
        }
    }
}
