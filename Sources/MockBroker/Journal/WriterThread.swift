internal import Glibc

/// A thread of its own for the one long job of this service that blocks: waiting for the disk.
enum WriterThread {
    /// Runs `body` on a new thread and returns when it has ended. It cannot be cancelled from outside.
    static func run(_ body: @escaping @Sendable () -> Void) async throws(JournalError) {
        let code = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
            let job = Job {
                body()
                continuation.resume(returning: 0)
            }
            let owner = unsafe Unmanaged.passRetained(job)
            var thread = pthread_t()
            let result = unsafe pthread_create(
                &thread, nil,
                { pointer in
                    unsafe Unmanaged<Job>.fromOpaque(pointer!).takeRetainedValue().body()
                    return nil
                }, owner.toOpaque())
            guard result == 0 else {
                unsafe owner.release()
                continuation.resume(returning: result)
                return
            }
            pthread_detach(thread)
        }
        guard code == 0 else { throw .system(call: "pthread_create", code: code) }
    }

    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
}
