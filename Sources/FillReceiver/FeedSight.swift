/// What a reader knows of its feed at one moment: pure, so that every order of events can be tested.
struct FeedSight {
    /// A sequence that the broker has named and the store has not reached.
    struct Awaited: Hashable {
        let sequence: Int64
        var since: ContinuousClock.Instant
    }

    var connected = false
    private(set) var storedSequence: Int64 = 0
    /// The last sequence the broker says there is.
    private(set) var brokerSequence: Int64 = 0
    /// When the stream last said anything.
    private(set) var lastEvent: ContinuousClock.Instant
    private(set) var awaited: Awaited?

    init(at now: ContinuousClock.Instant) { lastEvent = now }

    /// A stream was opened.
    mutating func opened(at now: ContinuousClock.Instant) {
        connected = true
        lastEvent = now
    }

    /// The stream said that the broker has everything up to `sequence`.
    mutating func heard(of sequence: Int64, at now: ContinuousClock.Instant) {
        lastEvent = now
        brokerSequence = max(brokerSequence, sequence)
        compare(at: now)
    }

    /// Everything up to `sequence` is stored, by whomever.
    mutating func stored(upTo sequence: Int64, at now: ContinuousClock.Instant) {
        storedSequence = max(storedSequence, sequence)
        brokerSequence = max(brokerSequence, storedSequence)
        compare(at: now)
    }

    /// A fetch has just been tried: what is awaited gets its time again.
    mutating func fetched(at now: ContinuousClock.Instant) { awaited?.since = now }

    /// Whether the store has not reached for `patience` what the broker had named then. A busy feed, whose store is
    /// always a little behind and always moves on, is not behind.
    func isBehind(for patience: Duration, at now: ContinuousClock.Instant) -> Bool {
        guard let awaited else { return false }
        return awaited.since.duration(to: now) >= patience
    }

    private mutating func compare(at now: ContinuousClock.Instant) {
        if let awaited, storedSequence < awaited.sequence { return }
        awaited = brokerSequence > storedSequence ? Awaited(sequence: brokerSequence, since: now) : nil
    }
}
