internal import Glibc

/// The clock behind `ContinuousClock` as plain nanoseconds, for paths that run once per call.
public enum MonotonicClock {
    /// Nanoseconds since an unspecified start; never goes back. Any thread.
    public static func nanoseconds() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// One moment on both scales, from which all others follow.
    private static let origin = (instant: ContinuousClock.now, nanoseconds: nanoseconds())

    static func nanoseconds(of instant: ContinuousClock.Instant) -> Int64 {
        let origin = origin
        return origin.nanoseconds.addingSaturated(origin.instant.duration(to: instant).wholeNanoseconds)
    }

    static func instant(at nanoseconds: Int64) -> ContinuousClock.Instant {
        let origin = origin
        return origin.instant + .nanoseconds(nanoseconds.addingSaturated(-origin.nanoseconds))
    }
}

extension Int64 {
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
