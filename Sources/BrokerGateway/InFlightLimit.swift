internal import Synchronization

/// How many requests may be under way at one broker. Taking a place never waits.
final class InFlightLimit: Sendable {
    private let inFlight = Mutex(0)
    private let maximum: Int

    init(_ maximum: Int) {
        precondition(maximum > 0, "at least one request may be under way")
        self.maximum = maximum
    }

    /// Runs `body` in one of the places, or returns nil when all are taken.
    func run<Result>(_ body: () async throws -> Result) async rethrows -> Result? {
        let taken = inFlight.withLock { inFlight in
            guard inFlight < maximum else { return false }
            inFlight += 1
            return true
        }
        guard taken else { return nil }
        defer { inFlight.withLock { $0 -= 1 } }
        return try await body()
    }
}
