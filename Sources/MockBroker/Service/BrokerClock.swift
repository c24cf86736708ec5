public import Domain
internal import Glibc

/// The broker's time: the real one, or one that a test moves.
public protocol BrokerClock: Sendable {
    var now: UnixTime { get }

    /// Returns once `now` has reached `time`; throws `CancellationError` when the task is cancelled first.
    func sleep(until time: UnixTime) async throws
}

/// The machine's clock.
public struct SystemBrokerClock: BrokerClock {
    public init() {}

    public var now: UnixTime {
        var time = timespec()
        let result = unsafe clock_gettime(CLOCK_REALTIME, &time)
        precondition(result == 0, "clock_gettime(CLOCK_REALTIME) cannot fail")
        return UnixTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    public func sleep(until time: UnixTime) async throws {
        // Twice at most, unless the machine's clock is set back meanwhile.
        while case let wait = time - now, wait > .zero { try await Task.sleep(for: wait) }
    }
}
