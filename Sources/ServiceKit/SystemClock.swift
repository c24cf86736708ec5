public import Domain
internal import Glibc

extension UnixTime {
    /// The system's clock. Read at the edge only; decisions take the time as an argument.
    public static var now: UnixTime {
        var time = timespec()
        let result = unsafe clock_gettime(CLOCK_REALTIME, &time)
        precondition(result == 0, "clock_gettime failed with \(errno)")
        return UnixTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
