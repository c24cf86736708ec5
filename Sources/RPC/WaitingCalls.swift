internal import DequeModule
internal import EventLoop
internal import Limits
internal import RPCCore

/// Calls that wait for a connection, or for room on one, in order.
///
/// @unchecked: touched on the loop only.
final class WaitingCalls: @unchecked Sendable {
    private struct Call {
        let id: UInt64
        let waitsForReady: Bool
        let continuation: CheckedContinuation<ClientConnection, any Error>
        let timer: LoopTimer?
    }

    private let loop: EventLoop
    private let capacity: Int
    private let target: String
    private var calls: Deque<Call> = []
    private var lastID: UInt64 = 0

    init(_ loop: EventLoop, capacity: Int, target: String) {
        self.loop = loop
        self.capacity = capacity
        self.target = target
    }

    var isEmpty: Bool { calls.isEmpty }

    /// Waits for `serve`. Throws `Status`, with nothing processed: RESOURCE_EXHAUSTED when too many wait,
    /// DEADLINE_EXCEEDED, CANCELLED, and what `fail` is called with.
    func wait(_ waitsForReady: Bool, _ deadline: Deadline?) async throws -> ClientConnection {
        guard calls.count < capacity else {
            throw Status(
                .resourceExhausted, "\(target): \(capacity) calls wait for a connection already",
                certainty: .notProcessed)
        }
        lastID += 1
        let id = lastID
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let timer = deadline.map { deadline in
                    loop.schedule(at: deadline) { [unowned self] in
                        end(
                            id,
                            Status(.deadlineExceeded, "\(target): no connection in time", certainty: .notProcessed))
                    }
                }
                calls.append(Call(id: id, waitsForReady: waitsForReady, continuation: continuation, timer: timer))
            }
        } onCancel: { [loop] in
            loop.spawn {
                self.end(id, Status(.cancelled, "\(self.target): the call was cancelled", certainty: .notProcessed))
            }
        }
    }

    /// Gives each call a place on what `pick` returns, until it returns nil.
    func serve(_ pick: () -> ClientConnection?) {
        while !calls.isEmpty, let connection = pick() {
            let call = calls.removeFirst()
            if let timer = call.timer { loop.cancel(timer) }
            connection.reservePlace()
            call.continuation.resume(returning: connection)
        }
    }

    /// - Parameter all: also those that wait for readiness.
    func fail(_ status: Status, all: Bool) {
        let failed = calls.filter { all || !$0.waitsForReady }
        calls.removeAll { all || !$0.waitsForReady }
        for call in failed { fail(call, status) }
    }

    private func end(_ id: UInt64, _ status: Status) {
        loop.preconditionOnLoop()
        guard let index = calls.firstIndex(where: { $0.id == id }) else { return }
        fail(calls.remove(at: index), status)
    }

    private func fail(_ call: Call, _ status: Status) {
        if let timer = call.timer { loop.cancel(timer) }
        call.continuation.resume(throwing: status)
    }
}
