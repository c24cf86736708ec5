internal import Glibc

/// Wakes a thread that sleeps in the kernel; for the one thread of this service that blocks.
@safe final class Doorbell: @unchecked Sendable {
    // @unchecked: the semaphore is made for use from many threads; the pointer never changes.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        let result = unsafe sem_init(semaphore, 0, 0)
        precondition(result == 0, "sem_init failed")
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func ring() { unsafe sem_post(semaphore) }

    /// Sleeps until `ring` was called once for this wait.
    func wait() {
        while unsafe sem_wait(semaphore) != 0 {
            precondition(errno == EINTR, "sem_wait failed with \(errno)")
        }
    }
}
