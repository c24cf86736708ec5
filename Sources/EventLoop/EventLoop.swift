internal import CLinux
internal import Glibc
public import Limits
internal import Synchronization

/// What happened to a descriptor.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: 1)
    public static let writable = Readiness(rawValue: 2)
    /// The peer has gone or the descriptor failed; a read or write tells which.
    public static let hangUp = Readiness(rawValue: 4)
}

/// The owner of a descriptor that a loop watches. Called on the loop's thread only.
public protocol ReadinessHandler: AnyObject {
    func ready(_ readiness: Readiness)
}

/// One epoll thread that is also the executor of the tasks it starts.
///
/// A pass of the loop handles every ready descriptor, every due timer and every queued job, and then runs the flush
/// actions once: connections that gathered output write it there with one system call each. Tasks that prefer this
/// executor run their async code on the thread, so handlers and connections share it without locks.
///
/// State: plain fields belong to the loop's thread; what other threads may touch is inside `inbox`, under its lock.
public final class EventLoop: TaskExecutor, SerialExecutor, @unchecked Sendable {
    // @unchecked: see "State" above.

    /// The loop whose thread this is, if any.
    public static var current: EventLoop? {
        guard let pointer = unsafe pthread_getspecific(currentKey) else { return nil }
        return unsafe Unmanaged<EventLoop>.fromOpaque(pointer).takeUnretainedValue()
    }

    public let name: String
    /// Touched on the loop only.
    public private(set) lazy var scratch = LoopScratch()

    /// When the present pass began, on the scale of `MonotonicClock`: cheap, and good enough for intervals that span
    /// passes. Touched on the loop only.
    public var passNanoseconds: Int64 { passStart }
    private var passStart = MonotonicClock.nanoseconds()

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var wakeUpPending = false
        var stopped = false
    }

    private static let currentKey: pthread_key_t = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key, nil)
        precondition(result == 0, "pthread_key_create failed with \(result)")
        return key
    }()
    private static let eventCapacity = 256

    private let epoll: Int32
    private let wakeUp: Int32
    private let inbox = Mutex(Inbox())
    private var thread = pthread_t()
    private var jobs: [UnownedJob] = []
    private var arrivals: [UnownedJob] = []
    /// Unchecked: no access of it calls out.
    @exclusivity(unchecked) private var timers = TimerHeap()
    private var flushes: [any FlushHandler] = []
    private var handlers: [Int32: any ReadinessHandler] = [:]
    private var stopping = false

    /// Starts the loop's thread.
    ///
    /// - Parameter stackBytes: of the thread; message decoding may recurse 100 levels deep.
    public init(name: String, stackBytes: Int = 8 << 20) throws(SystemError) {
        self.name = name
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemError.last("epoll_create1") }
        wakeUp = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard wakeUp >= 0 else {
            let error = SystemError.last("eventfd")
            close(epoll)
            throw error
        }
        control(EPOLL_CTL_ADD, wakeUp, EPOLLIN.rawValue)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        let owner = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                let loop = unsafe Unmanaged<EventLoop>.fromOpaque(pointer!).takeRetainedValue()
                loop.run()
                return nil
            }, owner.toOpaque())
        guard result == 0 else {
            unsafe owner.release()
            throw SystemError(call: "pthread_create", code: result)
        }
    }

    deinit {
        close(wakeUp)
        close(epoll)
    }

    // MARK: Threads

    public var isCurrent: Bool {
        guard let pointer = unsafe pthread_getspecific(Self.currentKey) else { return false }
        return unsafe pointer == Unmanaged.passUnretained(self).toOpaque()
    }

    public func preconditionOnLoop() {
        precondition(isCurrent, "this state belongs to the thread of loop \(name)")
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        let mustWake = inbox.withLock { inbox in
            precondition(!inbox.stopped, "a task was scheduled on loop \(name) after it had stopped")
            inbox.jobs.append(job)
            defer { inbox.wakeUpPending = true }
            return !inbox.wakeUpPending
        }
        if mustWake { eventfd_write(wakeUp, 1) }
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    public func checkIsolated() { preconditionOnLoop() }

    /// Runs `body` on this loop's thread by a hop there and back; code that is on the loop already needs no hop and
    /// calls `body` itself. Being `@concurrent`, `body` leaves the caller's thread for the executor the task prefers.
    public func run<Result: Sendable, Failure: Error>(
        _ body: @concurrent @Sendable () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await withTaskExecutorPreference(self, operation: body)
    }

    /// Starts a task on this loop from outside any task tree: the root of a service or of a connection.
    @discardableResult
    public func spawn(_ body: sending @escaping () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) { await body() }
    }

    // MARK: Timers

    /// Runs `action` on the loop once `instant` has passed. Call on the loop.
    public func schedule(at instant: ContinuousClock.Instant, _ action: @escaping () -> Void) -> LoopTimer {
        schedule(at: Deadline(instant: instant), action)
    }

    /// Runs `action` on the loop once `deadline` has passed. Call on the loop.
    public func schedule(at deadline: Deadline, _ action: @escaping () -> Void) -> LoopTimer {
        let timer = ActionTimer(action)
        schedule(timer, at: deadline)
        return timer
    }

    /// Lets `timer` fire on the loop once `deadline` has passed. Call on the loop.
    public func schedule(_ timer: LoopTimer, at deadline: Deadline) {
        preconditionOnLoop()
        unsafe timers.insert(timer, at: deadline)
    }

    /// Makes sure that the timer never fires; does nothing after it has. Call on the loop.
    public func cancel(_ timer: LoopTimer) {
        preconditionOnLoop()
        unsafe timers.remove(timer)
    }

    // MARK: Descriptors

    /// Watches `descriptor` (level-triggered) and keeps `handler` alive until `unwatch`. Call on the loop.
    public func watch(_ descriptor: Int32, for interest: Readiness, handler: any ReadinessHandler) throws(SystemError) {
        preconditionOnLoop()
        guard control(EPOLL_CTL_ADD, descriptor, Self.mask(interest)) == 0 else { throw SystemError.last("epoll_ctl") }
        handlers[descriptor] = handler
    }

    /// Changes what is reported for a watched descriptor. Call on the loop.
    public func rewatch(_ descriptor: Int32, for interest: Readiness) {
        preconditionOnLoop()
        let result = control(EPOLL_CTL_MOD, descriptor, Self.mask(interest))
        precondition(result == 0, "descriptor \(descriptor) is not watched by loop \(name)")
    }

    /// Stops watching; no event of this pass reaches the handler any more. Call on the loop, before close(2).
    public func unwatch(_ descriptor: Int32) {
        preconditionOnLoop()
        guard handlers.removeValue(forKey: descriptor) != nil else { return }
        control(EPOLL_CTL_DEL, descriptor, 0)
    }

    /// Calls `handler.flush()` once at the end of this pass. The handler keeps track of whether it is already listed.
    public func flushAtEndOfPass(_ handler: any FlushHandler) {
        flushes.append(handler)
    }

    // MARK: The pass

    /// Ends the thread after the current pass and waits for it. Everything that uses the loop must have ended before.
    public func shutDown() {
        precondition(!isCurrent, "a loop cannot wait for its own end")
        inbox.withLock { $0.stopped = true }
        eventfd_write(wakeUp, 1)
        pthread_join(thread, nil)
    }

    private func run() {
        unsafe pthread_setspecific(Self.currentKey, Unmanaged.passUnretained(self).toOpaque())
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventCapacity) { events in
            while !stopping { unsafe pass(events) }
        }
    }

    private func pass(_ events: UnsafeMutableBufferPointer<epoll_event>) {
        let count = unsafe epoll_wait(epoll, events.baseAddress, Int32(events.count), waitMilliseconds())
        guard count >= 0 else {
            precondition(errno == EINTR, "epoll_wait failed with \(errno)")
            return
        }
        passStart = MonotonicClock.nanoseconds()
        for index in 0..<Int(count) {
            let event = unsafe events[index]
            let descriptor = unsafe event.data.fd
            if descriptor == wakeUp {
                takeArrivals()
            } else if let handler = handlers[descriptor] {
                unsafe handler.ready(Self.readiness(event.events))
            }  // Otherwise an earlier handler of this pass closed it: a fair race.
        }
        runDueTimers()
        runJobs()
        var index = 0
        // A flush may end calls, and their jobs may produce output again: both lists are drained together.
        while index < flushes.count {
            let handler = flushes[index]
            index += 1
            handler.flush()
            if index == flushes.count { runJobs() }
        }
        flushes.removeAll(keepingCapacity: true)
    }

    private func runDueTimers() {
        guard let earliest = unsafe timers.earliest else { return }
        let now = Deadline.now
        guard earliest <= now else { return }
        while let timer = unsafe timers.popDue(now) { timer.fire() }
    }

    private func runJobs() {
        let executor = unsafe asUnownedTaskExecutor()
        var index = 0
        while index < jobs.count {
            let job = jobs[index]
            index += 1
            unsafe job.runSynchronously(on: executor)
        }
        if index > 0 { jobs.removeAll(keepingCapacity: true) }
    }

    private func takeArrivals() {
        var count: eventfd_t = 0
        unsafe eventfd_read(wakeUp, &count)
        inbox.withLock { inbox in
            swap(&inbox.jobs, &arrivals)
            inbox.wakeUpPending = false
            stopping = inbox.stopped
        }
        jobs.append(contentsOf: arrivals)
        arrivals.removeAll(keepingCapacity: true)
    }

    /// Rounded up, so that a timer is due when the wait ends.
    private func waitMilliseconds() -> Int32 {
        guard jobs.isEmpty else { return 0 }
        guard let earliest = unsafe timers.earliest else { return -1 }
        let wait = earliest.remainingNanoseconds
        guard wait > 0 else { return 0 }
        return Int32(min(1_000_000_000, (wait - 1) / 1_000_000 + 1))
    }

    @discardableResult
    private func control(_ operation: Int32, _ descriptor: Int32, _ mask: UInt32) -> Int32 {
        var event = unsafe epoll_event(events: mask, data: epoll_data_t(fd: descriptor))
        return unsafe epoll_ctl(epoll, operation, descriptor, &event)
    }

    private static func mask(_ interest: Readiness) -> UInt32 {
        (interest.contains(.readable) ? EPOLLIN.rawValue | EPOLLRDHUP.rawValue : 0)
            | (interest.contains(.writable) ? EPOLLOUT.rawValue : 0)
    }

    private static func readiness(_ events: UInt32) -> Readiness {
        var readiness: Readiness = []
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 { readiness.insert(.readable) }
        if events & EPOLLOUT.rawValue != 0 { readiness.insert(.writable) }
        if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { readiness.insert(.hangUp) }
        return readiness
    }
}

/// Something that gathers output during a pass and writes it once at the end.
public protocol FlushHandler: AnyObject {
    func flush()
}
