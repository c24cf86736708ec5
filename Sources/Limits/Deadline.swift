/// The instant after which nobody waits for the result any more.
///
/// The deadline of the current task lives in `current`. It only ever shrinks: `within` takes the earlier of the
/// caller's deadline and the proposed one. Every hop over the network sends what is left of it.
public struct Deadline: Sendable, Hashable, Comparable {
    public let instant: ContinuousClock.Instant

    @TaskLocal public static var current: Deadline?

    public init(instant: ContinuousClock.Instant) { self.instant = instant }

    /// The deadline that lies `limit` after this moment.
    public static func after(_ limit: Duration) -> Deadline { Deadline(instant: .now + limit) }

    /// What is left; negative when the deadline has passed.
    public var remaining: Duration { ContinuousClock.now.duration(to: instant) }

    public var hasPassed: Bool { instant <= .now }

    public static func < (a: Deadline, b: Deadline) -> Bool { a.instant < b.instant }

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
