/// Decides when a connection is pinged, left for its age or for idleness, and given up. Pure: time comes in as
/// nanoseconds of one monotonic clock, and what is due comes out.
///
/// Source: gRFC A8 (keepalive) and A9 (connection age and idleness).
struct ConnectionLifetime {
    struct Limits {
        /// Without a byte from the peer for this long, it is pinged; nil never pings.
        var keepaliveTime: Int64?
        /// Without a byte after the ping for this long, it is given up.
        var keepaliveTimeout: Int64
        /// Whether a connection without calls is pinged.
        var pingsWithoutCalls = true
        /// Without calls for this long, the connection is left; nil never.
        var idle: Int64?
        /// After this long, the connection is left; nil never.
        var age: Int64?
        /// Between leaving a connection and cutting the calls that are still open.
        var grace: Int64
    }

    enum Reason: Equatable {
        case idle, old
    }

    enum Action: Equatable {
        case ping
        /// Ask for no new calls.
        case leave(Reason)
        /// The peer does not answer.
        case giveUp
        /// The time to end calls is over.
        case cut
    }

    let limits: Limits
    private let openedAt: Int64
    private var receivedAt: Int64
    private var callEndedAt: Int64
    private var hasCalls = false
    private var pingedAt: Int64?
    private var leftAt: Int64?

    init(_ limits: Limits, at now: Int64) {
        self.limits = limits
        openedAt = now
        receivedAt = now
        callEndedAt = now
    }

    /// Bytes came: whoever sends is alive.
    mutating func received(at now: Int64) {
        receivedAt = now
        pingedAt = nil
    }

    mutating func callsChanged(areOpen: Bool, at now: Int64) {
        hasCalls = areOpen
        callEndedAt = now
    }

    /// The connection is being left, for whatever reason.
    mutating func left(at now: Int64) {
        if leftAt == nil { leftAt = now }
    }

    /// What is due at `now`, and when to ask again if nothing happens before; nil never.
    mutating func check(at now: Int64) -> (action: Action?, next: Int64?) {
        var dates: [Int64] = []
        if let leftAt {
            guard now < leftAt + limits.grace else { return (.cut, nil) }
            dates.append(leftAt + limits.grace)
        } else {
            if let age = limits.age {
                guard now < openedAt + age else { return leave(.old, at: now) }
                dates.append(openedAt + age)
            }
            if let idle = limits.idle, !hasCalls {
                guard now < callEndedAt + idle else { return leave(.idle, at: now) }
                dates.append(callEndedAt + idle)
            } else if let idle = limits.idle {
                dates.append(now + idle)
            }
        }
        if let pingedAt {
            guard now < pingedAt + limits.keepaliveTimeout else { return (.giveUp, nil) }
            dates.append(pingedAt + limits.keepaliveTimeout)
        } else if let time = limits.keepaliveTime {
            let due = receivedAt + time
            if now >= due, hasCalls || limits.pingsWithoutCalls {
                pingedAt = now
                dates.append(now + min(limits.keepaliveTimeout, time))
                return (.ping, dates.min())
            }
            dates.append(max(due, now + time))
            if now < due { dates.append(due) }
        }
        return (nil, dates.min())
    }

    private mutating func leave(_ reason: Reason, at now: Int64) -> (action: Action?, next: Int64?) {
        leftAt = now
        return (.leave(reason), now + limits.grace)
    }
}

/// Counts pings that a client sends without need: two too many within the allowed interval, and it is told to calm
/// down (gRFC A8, "Server Enforcement").
struct PingStrikes {
    /// Between pings while there are calls, or if pings without calls are allowed.
    let minimumInterval: Int64
    let allowsWithoutCalls: Bool
    let strikes: Int
    /// Between pings of a connection without calls that should not ping at all.
    static let intervalWithoutCalls: Int64 = 7_200_000_000_000

    private var lastPing: Int64?
    private var callFrames = 0
    private var count = 0

    init(minimumInterval: Int64, allowsWithoutCalls: Bool, strikes: Int) {
        self.minimumInterval = minimumInterval
        self.allowsWithoutCalls = allowsWithoutCalls
        self.strikes = strikes
    }

    /// False when this was one too many.
    ///
    /// - Parameter callFramesSent: a count of the HEADERS and DATA that have gone out: a client may ping after them,
    ///   to measure how far they have come.
    mutating func received(at now: Int64, hasCalls: Bool, callFramesSent: Int) -> Bool {
        defer { lastPing = now }
        if callFramesSent != callFrames {
            callFrames = callFramesSent
            count = 0
            return true
        }
        guard let lastPing else { return true }
        let interval = hasCalls || allowsWithoutCalls ? minimumInterval : Self.intervalWithoutCalls
        guard now < lastPing + interval else { return true }
        count += 1
        return count <= strikes
    }
}
