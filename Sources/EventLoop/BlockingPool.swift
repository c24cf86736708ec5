internal import Glibc
internal import Limits
internal import Synchronization

/// A few threads for calls that block (name lookup, a cancel request, a flush at close), so that no loop ever does.
///
/// The threads live as long as the process. The queue is bounded: what does not fit is refused.
public final class BlockingPool: Sendable {
    /// The queue was full; nothing was run.
    public struct Full: Error {}

    /// The pool of the process: four threads, 1024 waiting calls.
    public static let shared = BlockingPool(threads: 4, capacity: 1024)

    private let queue: Mutex<BoundedQueue<@Sendable () -> Void>>
    private let ready: Semaphore

    public init(threads: Int, capacity: Int) {
        precondition(threads >= 1, "a pool has at least one thread")
        queue = Mutex(BoundedQueue(capacity: capacity))
        ready = Semaphore()
        for _ in 0..<threads { startThread() }
    }

    /// Queues `job` and returns at once; false, and nothing will run, when the queue is full. Any thread.
    public func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        guard queue.withLock({ $0.append(job) }) else { return false }
        ready.signal()
        return true
    }

    /// Runs `body` on one of the threads and returns what it returned. A blocking call cannot be cancelled.
    public func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async throws(Full) -> Result {
        let result: Result? = await withCheckedContinuation { continuation in
            let accepted = submit { continuation.resume(returning: body()) }
            if !accepted { continuation.resume(returning: nil) }
        }
        guard let result else { throw Full() }
        return result
    }

    private func startThread() {
        var thread = pthread_t()
        let owner = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { pointer in
                let pool = unsafe Unmanaged<BlockingPool>.fromOpaque(pointer!).takeRetainedValue()
                while true {
                    pool.ready.wait()
                    let job = pool.queue.withLock { $0.popFirst() }
                    job?()
                }
            }, owner.toOpaque())
        precondition(result == 0, "pthread_create failed with \(result)")
        pthread_detach(thread)
    }
}

/// A counting semaphore, sem_overview(7). Never freed while a thread waits: its pool lives as long as the process.
@safe private final class Semaphore: @unchecked Sendable {
    // @unchecked: a semaphore is made for use by several threads.
    private let handle: UnsafeMutablePointer<sem_t>

    init() {
        unsafe handle = .allocate(capacity: 1)
        let result = unsafe sem_init(handle, 0, 0)
        precondition(result == 0, "sem_init failed with \(errno)")
    }

    func signal() { unsafe sem_post(handle) }

    func wait() {
        while unsafe sem_wait(handle) != 0 { precondition(errno == EINTR, "sem_wait failed with \(errno)") }
    }
}
