import EventBus
import Logging
import ServiceKit
import Synchronization
import TestSupport

/// A bus that takes, refuses or never answers, as the test says.
final class TestPublisher: EventPublisher {
    struct Refused: Error {}

    enum Mood: Sendable {
        case takes
        case refuses
        /// Takes the events, and its confirmation is lost.
        case takesAndFails
        /// Neither takes nor refuses until the task is cancelled.
        case hangs
    }

    private let state = Mutex<(mood: Mood, taken: [EventEnvelope], calls: Int)>((.takes, [], 0))

    init(_ mood: Mood = .takes) { setMood(mood) }

    var taken: [EventEnvelope] { state.withLock { $0.taken } }
    var calls: Int { state.withLock { $0.calls } }
    func setMood(_ mood: Mood) { state.withLock { $0.mood = mood } }

    func publish(_ events: [EventEnvelope]) async throws {
        let mood = state.withLock { state in
            state.calls += 1
            if state.mood != .refuses, state.mood != .hangs { state.taken += events }
            return state.mood
        }
        switch mood {
        case .takes: return
        case .refuses, .takesAndFails: throw Refused()
        case .hangs: try await Task.sleep(for: .seconds(3600))
        }
    }
}

extension ServiceEnvironment {
    static func testing() -> ServiceEnvironment {
        ServiceEnvironment(group: TestLoops.group, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// Waits until `condition` holds, for at most 20 seconds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    struct WaitedInVain: Error, CustomStringConvertible { let description: String }
    let limit = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < limit {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw WaitedInVain(description: "waited in vain until \(what)")
}
