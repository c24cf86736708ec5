import EventLoop
import Glibc

/// Processor time of a process since its start: user and system, all its threads. Source: clock_getcpuclockid(3).
struct ProcessorClock: Sendable {
    private let clock: clockid_t

    private init(_ clock: clockid_t) { self.clock = clock }

    /// Of this process.
    static let own = ProcessorClock(CLOCK_PROCESS_CPUTIME_ID)

    /// Of another process; throws when there is none with this id.
    init(process: Int32) throws(SystemError) {
        var clock = clockid_t()
        let code = unsafe clock_getcpuclockid(process, &clock)
        guard code == 0 else { throw SystemError(call: "clock_getcpuclockid", code: code) }
        self.clock = clock
    }

    /// Throws when the process has ended.
    func read() throws(SystemError) -> Duration {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { throw .last("clock_gettime") }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
