import RPCCore
import Synchronization

/// When what happened in one call. Any thread.
final class CallClock: Sendable {
    private struct State {
        var start = ContinuousClock.now
        var sent: ContinuousClock.Instant?
        var sentMessages = 0
        var sentBytes = 0
        var firstReply: ContinuousClock.Instant?
        var replies = 0
    }

    private let state = Mutex(State())

    /// The call has begun: its head is on its way.
    func start() { state.withLock { $0.start = .now } }

    /// All requests are sent.
    func sent(_ messages: Int, _ bytes: Int) {
        state.withLock { ($0.sent, $0.sentMessages, $0.sentBytes) = (.now, messages, bytes) }
    }

    func received() {
        state.withLock { state in
            state.replies += 1
            if state.firstReply == nil { state.firstReply = .now }
        }
    }

    /// Since the start.
    var total: Duration { state.withLock { $0.start.duration(to: .now) } }

    /// The steps of the call, now that it has ended. They overlap where both sides stream: each counts from the start, or
    /// from the end of the one before, whichever is later.
    func write(to steps: StepLog, _ path: String) {
        let end = ContinuousClock.now
        let state = state.withLock { $0 }
        let sent = state.sent ?? end
        steps.add(
            .send, "\(Self.count(state.sentMessages, "message")), \(Self.count(state.sentBytes, "byte"))",
            state.start.duration(to: sent))
        guard let first = state.firstReply else { return steps.add(.finish, path, min(sent, end).duration(to: end)) }
        let from = min(sent, first)
        steps.add(.firstReply, path, from.duration(to: first))
        steps.add(.finish, "messages received: \(state.replies)", first.duration(to: end))
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// A status with what the call waited for, if it was time that ran out on this side.
    func explained(_ status: Status, _ path: String) -> Status {
        guard status.code == .deadlineExceeded, status.certainty != .answered else { return status }
        let state = state.withLock { $0 }
        let step: StepLog.Step = state.firstReply != nil ? .finish : state.sent != nil ? .firstReply : .send
        guard case .status(var explained) = StepLog.failure(step, path, after: state.start.duration(to: .now)) else {
            return status
        }
        explained.certainty = status.certainty
        explained.details = status.details
        explained.metadata = status.metadata
        return explained
    }
}

/// Why the sender of a call gave up, for the receiver. Any thread.
final class SenderOutcome: Sendable {
    private let state = Mutex<ToolFailure?>(nil)

    var failure: ToolFailure? { state.withLock { $0 } }
    func fail(_ failure: ToolFailure) { state.withLock { $0 = failure } }
}

/// The requests of a call, handed over to the task that sends them.
///
/// @unchecked: that task alone touches the source.
final class RequestBox: @unchecked Sendable {
    private var source: RequestSource

    init(_ source: RequestSource) { self.source = source }

    func send(
        to call: any ClientCall, _ clock: CallClock, _ send: ([UInt8], Int) async throws -> Void
    ) async throws {
        var messages = 0
        var bytes = 0
        while let request = try await source.request() {
            messages += 1
            bytes += request.count
            try await send(request, messages)
        }
        await call.finishSending()
        clock.sent(messages, bytes)
    }
}
