public import Domain

/// How the broker behaves. The default is a calm broker: no delays, no faults, everything marketable fills at once.
///
/// Each decision is drawn from a hash of the seed, the name of the knob, the order and the attempt (`Draw`), so that
/// the same seed makes the same decisions whatever the timing.
public struct Behavior: Hashable, Sendable {
    /// The seed of every draw.
    public var seed: Int64 = 0
    /// Delay between the commit of an order or cancel request and its answer.
    public var replyLatency = Latency.zero
    /// Delay between the acceptance of an order (or the price's touch) and each of its fills.
    public var fillLatency = Latency.zero
    /// Delay between taking on a cancel request and carrying it out; fills that are due earlier overtake it.
    public var cancelLatency = Latency.zero
    /// Delay between a report's place in the feed and its delivery on a stream. The order of the feed is kept: a
    /// report waits for those before it. A pulled list shows it at once.
    public var feedLatency = Latency.zero
    /// Of 10,000 place attempts, how many are committed and then lose their reply.
    public var lostReplyPer10000: Int32 = 0
    /// The first n attempts of every order are committed and lose their reply.
    public var loseFirstReplies: Int32 = 0
    /// Of 10,000 place attempts, how many are dropped before they are committed.
    public var lostRequestPer10000: Int32 = 0
    /// Each fill is delivered this many times on a stream; 0 means once.
    public var fillCopies: Int32 = 0
    /// What a repeated client order id does.
    public var idempotencyMode = IdempotencyMode.returnOriginal
    /// Orders fill in this many parts, or one per share if that is fewer; 0 means one.
    public var fillParts: Int32 = 0
    /// Which orders fill by themselves. Decided when an order is accepted, a price moves, or this is set.
    public var fillMode = FillMode.marketable
    /// A look-up misses an accepted order for this long, in milliseconds.
    public var visibilityDelayMilliseconds: Int64 = 0

    public init() {}

    /// When orders fill.
    public enum FillMode: UInt8, Hashable, Sendable, CaseIterable {
        /// Market orders, and limit orders that the price touches.
        case marketable = 1
        /// Only by hand.
        case manual = 2
    }

    /// A delay drawn evenly between two bounds, both included.
    public struct Latency: Hashable, Sendable {
        public var minimumMilliseconds: Int64
        public var maximumMilliseconds: Int64

        public init(minimumMilliseconds: Int64, maximumMilliseconds: Int64) {
            self.minimumMilliseconds = minimumMilliseconds
            self.maximumMilliseconds = maximumMilliseconds
        }

        /// Always `milliseconds`.
        public init(milliseconds: Int64) {
            self.init(minimumMilliseconds: milliseconds, maximumMilliseconds: milliseconds)
        }

        public static let zero = Latency(milliseconds: 0)
    }
}

extension Behavior {
    /// No delay may be longer: one day.
    public static let maximumMilliseconds: Int64 = 86_400_000
    /// Most parts of an order, and most copies of a fill.
    public static let maximumCount: Int32 = 1000

    /// Refuses what makes no sense, naming the field by its path in the control contract.
    public func validate() throws(InvalidBehavior) {
        try replyLatency.validate("reply_latency")
        try fillLatency.validate("fill_latency")
        try cancelLatency.validate("cancel_latency")
        try feedLatency.validate("feed_latency")
        try Self.validate(lostReplyPer10000, upTo: 10_000, "lost_reply_per_10000")
        try Self.validate(lostRequestPer10000, upTo: 10_000, "lost_request_per_10000")
        try Self.validate(loseFirstReplies, upTo: Self.maximumCount, "lose_first_replies")
        try Self.validate(fillCopies, upTo: Self.maximumCount, "fill_copies")
        try Self.validate(fillParts, upTo: Self.maximumCount, "fill_parts")
        try Self.validate(visibilityDelayMilliseconds, upTo: Self.maximumMilliseconds, "visibility_delay_milliseconds")
    }

    fileprivate static func validate<Number: BinaryInteger>(
        _ value: Number, upTo limit: Number, _ path: String
    ) throws(InvalidBehavior) {
        guard value >= 0 else { throw InvalidBehavior(path: path, problem: "must not be negative") }
        guard value <= limit else { throw InvalidBehavior(path: path, problem: "must be at most \(limit)") }
    }
}

extension Behavior.Latency {
    fileprivate func validate(_ path: String) throws(InvalidBehavior) {
        let limit = Behavior.maximumMilliseconds
        try Behavior.validate(minimumMilliseconds, upTo: limit, "\(path).minimum_milliseconds")
        try Behavior.validate(maximumMilliseconds, upTo: limit, "\(path).maximum_milliseconds")
        guard minimumMilliseconds <= maximumMilliseconds else {
            throw InvalidBehavior(
                path: "\(path).maximum_milliseconds", problem: "must not be below the minimum")
        }
    }
}

/// A behaviour, or a setting of the configuration, that makes no sense. Nothing was changed.
public struct InvalidBehavior: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field, as the control contract names it: `reply_latency.maximum_milliseconds`.
    public let path: String
    /// What is wrong with it.
    public let problem: String

    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    public var description: String { "\(path) \(problem)" }
}
