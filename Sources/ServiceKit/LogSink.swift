internal import Glibc
internal import Synchronization

/// Where log lines go: a thread of its own writes them to a descriptor, so that a slow reader stalls no loop.
///
/// At most `capacityBytes` wait; what does not fit is dropped and counted, and the count is written as soon as there is
/// room again.
public final class LogSink: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var dropped = 0
        var closed = false
    }

    private let descriptor: Int32
    private let capacityBytes: Int
    private let state = Mutex(State())
    private let signal: Signal
    private let thread: Mutex<pthread_t>

    /// - Parameter descriptor: stays open and is not closed; 2 is standard error.
    public init(descriptor: Int32 = 2, capacityBytes: Int = 4 << 20) {
        self.descriptor = descriptor
        self.capacityBytes = capacityBytes
        signal = Signal()
        thread = Mutex(pthread_t())
        let owner = unsafe Unmanaged.passRetained(self)
        let result = thread.withLock { thread in
            unsafe pthread_create(
                &thread, nil,
                { pointer in
                    unsafe Unmanaged<LogSink>.fromOpaque(pointer!).takeRetainedValue().drain()
                    return nil
                }, owner.toOpaque())
        }
        precondition(result == 0, "pthread_create failed with \(result)")
    }

    /// Takes a line that ends in a newline. Never waits.
    public func write(_ line: String) {
        let wasEmpty = state.withLock { state in
            guard state.waiting.count + line.utf8.count <= capacityBytes else {
                state.dropped += 1
                return false
            }
            defer { state.waiting.append(contentsOf: line.utf8) }
            return state.waiting.isEmpty
        }
        if wasEmpty { signal.raise() }
    }

    /// Writes what waits and ends the thread.
    public func close() {
        state.withLock { $0.closed = true }
        signal.raise()
        thread.withLock { thread in _ = pthread_join(thread, nil) }
    }

    private func drain() {
        var closed = false
        while !closed {
            signal.wait()
            var bytes: [UInt8] = []
            var dropped = 0
            state.withLock { state in
                swap(&bytes, &state.waiting)
                swap(&dropped, &state.dropped)
                closed = state.closed
            }
            write(bytes)
            if dropped > 0 {
                write(Array("{\"level\":\"error\",\"event\":\"log.dropped\",\"lines\":\(dropped)}\n".utf8))
            }
        }
    }

    private func write(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
            }
            guard count > 0 || errno == EINTR else { return }  // The reader has gone: nobody is left to tell.
            offset += max(0, count)
        }
    }

    /// A semaphore of the operating system.
    @safe private final class Signal: @unchecked Sendable {
        // @unchecked: sem_t is made for use by many threads; it lives as long as this object.
        private let semaphore: UnsafeMutablePointer<sem_t>

        init() {
            unsafe semaphore = .allocate(capacity: 1)
            unsafe sem_init(semaphore, 0, 0)
        }
        deinit {
            unsafe sem_destroy(semaphore)
            unsafe semaphore.deallocate()
        }
        func raise() { unsafe sem_post(semaphore) }
        func wait() { while unsafe sem_wait(semaphore) != 0 {} }
    }
}
