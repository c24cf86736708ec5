public import Domain
internal import ServiceKit

/// The broker's time: the real one, or one that a test moves.
public protocol BrokerClock: Sendable {
    var now: UnixTime { get }

    /// Returns once `now` has reached `time`; throws `CancellationError` when the task is cancelled first.
    func sleep(until time: UnixTime) async throws
}

/// The machine's clock.
public struct SystemBrokerClock: BrokerClock {
    public init() {}

    public var now: UnixTime { .now }

    public func sleep(until time: UnixTime) async throws {
        // Twice at most, unless the machine's clock is set back meanwhile.
        while case let wait = time - now, wait > .zero { try await Task.sleep(for: wait) }
    }
}
