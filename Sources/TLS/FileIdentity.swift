internal import Glibc

/// Which file a path leads to, and when it was last changed: as long as this stays the same, so does the content.
struct FileIdentity: Hashable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    /// The status change time, which writing, renaming and setting other times all move on.
    private let changedAt: Duration

    /// Nil when nothing is there, or it may not be looked at.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = status.st_size
        changedAt = Self.duration(status.st_ctim)
    }

    /// Whether the last change was `time` ago or longer: whoever writes may have finished. A time in the future, after
    /// the clock was set back, tells nothing.
    func isSettled(for time: Duration) -> Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let age = Self.duration(now) - changedAt
        return age >= time || age < .zero
    }

    private static func duration(_ time: timespec) -> Duration {
        .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
