import Limits
import RPCCore
import Synchronization
import TestSupport

/// A channel that stops at one call, before it leaves or after its reply came, until it is let go or cancelled.
final class Gate: Sendable {
    enum Moment: String, Sendable, CaseIterable {
        case beforeSend, afterReply
    }

    private let call: Int
    private let moment: Moment
    private let calls = Counter()
    private let reached = WakeUp()
    private let opened = WakeUp()

    /// - Parameter call: counts from 1, over all channels that share the gate.
    init(call: Int, _ moment: Moment) {
        self.call = call
        self.moment = moment
    }

    /// Returns when a driver stands at the gate, or the task is cancelled.
    func waitUntilReached() async { await reached.wait() }

    /// Lets the driver go on.
    func open() { opened.wake() }

    fileprivate func begin() -> Int { calls.increment() }

    fileprivate func pass(_ number: Int, _ now: Moment) async throws {
        guard number == call, now == moment else { return }
        reached.wake()
        await opened.wait()
        try Task.checkCancellation()
    }
}

struct GatedChannel: RPCChannel {
    let base: any RPCChannel
    let gate: Gate

    func startCall(_ path: String, options: CallOptions) async throws -> any ClientCall {
        try await base.startCall(path, options: options)
    }

    func unary(_ path: String, _ request: [UInt8], options: CallOptions) async throws -> [UInt8] {
        let number = gate.begin()
        try await gate.pass(number, .beforeSend)
        let reply = try await base.unary(path, request, options: options)
        try await gate.pass(number, .afterReply)
        return reply
    }
}
