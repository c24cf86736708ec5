/// The instant after which nobody waits for the result any more.
///
/// The deadline of the current task lives in `current`. It only ever shrinks: `within` takes the earlier of the
/// caller's deadline and the proposed one. Every hop over the network sends what is left of it.
public struct Deadline: Sendable, Hashable, Comparable {
    /// On the scale of `MonotonicClock`.
    public let nanoseconds: Int64

    @TaskLocal public static var current: Deadline?

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public init(instant: ContinuousClock.Instant) { nanoseconds = MonotonicClock.nanoseconds(of: instant) }

    /// The deadline that lies `limit` after this moment.
    public static func after(_ limit: Duration) -> Deadline { after(limit.wholeNanoseconds, from: .now) }

    /// The deadline that lies so many nanoseconds after `start`; cut to what 64 bits hold.
    public static func after(_ nanoseconds: Int64, from start: Deadline) -> Deadline {
        Deadline(nanoseconds: start.nanoseconds.addingSaturated(nanoseconds))
    }

    /// This moment.
    public static var now: Deadline { Deadline(nanoseconds: MonotonicClock.nanoseconds()) }

    public var instant: ContinuousClock.Instant { MonotonicClock.instant(at: nanoseconds) }

    /// What is left; negative when the deadline has passed.
    public var remaining: Duration { .nanoseconds(remainingNanoseconds) }

    /// What is left; negative when the deadline has passed.
    public var remainingNanoseconds: Int64 { nanoseconds.addingSaturated(-MonotonicClock.nanoseconds()) }

    public var hasPassed: Bool { nanoseconds <= MonotonicClock.nanoseconds() }

    public static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Runs `body` with at most `limit` from now, or the caller's deadline if that is earlier.
    ///
    /// The deadline is announced, not enforced: each waiting call inside `body` obeys `Deadline.current`.
    public static func within<Result, Failure: Error>(
        _ limit: Duration, _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let proposed = Deadline.after(limit)
        let effective = min(proposed, current ?? proposed)
        do {
            return try await $current.withValue(effective) { try await body() }
        } catch let error as Failure {
            throw error
        } catch {
            preconditionFailure("the task-local scope only rethrows what its body throws")
        }
    }
}
