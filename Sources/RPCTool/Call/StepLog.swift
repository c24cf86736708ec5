import RPCCore
import Synchronization

/// What a call is doing, for people: which step took how long, and which one hung.
package final class StepLog: Sendable {
    package enum Step: String, Sendable {
        case resolve, connect, reflect, send
        case firstReply = "first reply"
        case finish

        fileprivate var inProgress: String {
            switch self {
            case .resolve: "looking up"
            case .connect: "connecting to"
            case .reflect: "asking for the schema of"
            case .send: "sending to"
            case .firstReply: "waiting for the first reply of"
            case .finish: "waiting for the end of"
            }
        }
    }

    package struct Entry: Sendable {
        package let step: Step
        package let subject: String
        package let duration: Duration
    }

    private struct State {
        var entries: [Entry] = []
        /// Time that the open steps spent in steps inside them.
        var inside: [Duration] = []
    }

    private let state = Mutex(State())
    private let onStart: @Sendable (String) -> Void

    /// - Parameter onStart: called with a line for people when a step begins.
    package init(onStart: @escaping @Sendable (String) -> Void = { _ in }) { self.onStart = onStart }

    /// The steps that have ended, in order; a step inside another does not count to it.
    package var entries: [Entry] { state.withLock { $0.entries } }

    package func add(_ step: Step, _ subject: String, _ duration: Duration) {
        state.withLock { $0.entries.append(Entry(step: step, subject: subject, duration: duration)) }
    }

    /// Runs one step. A deadline that passes meanwhile becomes a failure that names the step.
    package func run<Result>(
        _ step: Step, _ subject: String, _ body: () async throws -> Result
    ) async throws -> Result {
        onStart("\(step.inProgress) \(subject)")
        let start = ContinuousClock.now
        state.withLock { $0.inside.append(.zero) }
        defer {
            let whole = start.duration(to: .now)
            state.withLock { state in
                let inside = state.inside.removeLast()
                if !state.inside.isEmpty { state.inside[state.inside.count - 1] += whole }
                state.entries.append(Entry(step: step, subject: subject, duration: whole - inside))
            }
        }
        do {
            return try await body()
        } catch let status as Status where status.code == .deadlineExceeded {
            throw Self.failure(step, subject, after: start.duration(to: .now))
        }
    }

    /// The failure of a step that took too long.
    static func failure(_ step: Step, _ subject: String, after time: Duration) -> ToolFailure {
        let text = "No answer after \(TimeText.format(time)) of \(step.inProgress) \(subject)."
        switch step {
        case .resolve, .connect: return .notConnected(text)
        case .reflect: return .noSchema(text)
        case .send, .firstReply, .finish: return .status(Status(.deadlineExceeded, text))
        }
    }
}
