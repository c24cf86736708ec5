import RPCCore
import Synchronization

/// When the service "dies": around the call to a peer with this number, counted from 1.
final class CrashPlan: Sendable {
    enum Moment: Sendable, CaseIterable {
        /// The peer never hears of it.
        case before
        /// The peer has done it, and nobody learns of the answer.
        case after
    }

    private struct State {
        var left = 0
        var moment = Moment.before
        var hasCrashed = false
    }

    private let state = Mutex(State())

    func crash(at call: Int, _ moment: Moment) {
        state.withLock { $0 = State(left: call, moment: moment, hasCrashed: false) }
    }

    var hasCrashed: Bool { state.withLock { $0.hasCrashed } }

    /// Counts a call; the moment at which to die around it, if it is the one.
    func next() -> Moment? {
        state.withLock { state in
            guard state.left > 0 else { return nil }
            state.left -= 1
            guard state.left == 0 else { return nil }
            state.hasCrashed = true
            return state.moment
        }
    }
}

/// A channel to a peer around whose calls the task that makes them may die: it is cancelled on the spot, so that nothing
/// it would do next takes place.
struct CrashChannel: RPCChannel {
    private let channel: LocalChannel
    private let plan: CrashPlan

    init(_ service: any RPCService, _ plan: CrashPlan) {
        channel = LocalChannel(service)
        self.plan = plan
    }

    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        try await channel.startCall(path, options: options)
    }

    func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        guard !path.hasSuffix("GetCapabilities"), let moment = plan.next() else {
            return try await channel.unary(path, request, options: options)
        }
        if moment == .after { _ = try await channel.unary(path, request, options: options) }
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        throw CancellationError()
    }
}
