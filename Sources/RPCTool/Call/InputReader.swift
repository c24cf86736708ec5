import EventLoop
import Glibc
import Limits
import Synchronization

/// Reads a descriptor piece by piece, when asked. A read that nobody waits for any more is kept for the next.
package final class InputReader: Sendable {
    private static let pieceBytes = 64 << 10

    private struct State {
        var isReading = false
        var piece: [UInt8]?
        var failure: ToolFailure?
    }

    private let descriptor: Int32
    private let name: String
    private let pool = BlockingPool(threads: 1, capacity: 1)
    private let state = Mutex(State())
    private let wakeUp = WakeUp()

    /// - Parameter name: for errors.
    package init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// The next bytes; none at the end of the input, or when the task is cancelled. One waiter at a time.
    package func next() async throws(ToolFailure) -> [UInt8] {
        let mustStart = state.withLock { state in
            guard !state.isReading, state.piece == nil, state.failure == nil else { return false }
            state.isReading = true
            return true
        }
        // There is room: nothing is queued while a read is under way.
        if mustStart { _ = pool.submit { self.read() } }
        while !Task.isCancelled {
            let (piece, failure) = state.withLock { state in
                defer { state.piece = nil }
                return (state.piece, state.failure)
            }
            if let failure { throw failure }
            if let piece { return piece }
            await wakeUp.wait()
        }
        return []
    }

    private func read() {
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { buffer, count in
            var result = -1
            repeat {
                result = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                code = errno
            } while result < 0 && code == EINTR
            count = max(0, result)
            if result >= 0 { code = 0 }
        }
        state.withLock { state in
            state.isReading = false
            if code == 0 {
                state.piece = bytes
            } else {
                state.failure = .invalid("\(name) cannot be read: \(SystemError(call: "read", code: code)).")
            }
        }
        wakeUp.wake()
    }
}
