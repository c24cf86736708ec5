internal import EventLoop
internal import Foundation
internal import Glibc
package import Processes
internal import Synchronization

/// A directory with a short name (a socket's path has at most 107 bytes), open to be traversed by servers that run as
/// another user. Removed when the process ends.
///
/// It lies in memory when /dev/shm has room: removing a data directory from a disk that is mounted with `discard` takes
/// tens of seconds. The environment variable `MERIDIAN_TEST_DIRECTORY` names another parent.
package struct TemporaryDirectory: Sendable {
    private static let prefix = "mt-"
    private static let wantedBytes: UInt = 2 << 30

    /// Where the directories are made.
    package static let parent: String = {
        if let chosen = unsafe getenv("MERIDIAN_TEST_DIRECTORY") { return unsafe String(cString: chosen) }
        var space = statvfs()
        let isRoomy =
            unsafe statvfs("/dev/shm", &space) == 0 && access("/dev/shm", W_OK | X_OK) == 0
            && space.f_bavail * space.f_frsize >= wantedBytes
        return isRoomy ? "/dev/shm" : "/tmp"
    }()

    package let path: String

    package init() throws(ChildProcess.Failure) {
        Cleanup.prepare()
        var template = Array("\(Self.parent)/\(Self.prefix)\(getpid())-XXXXXX\0".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw ChildProcess.Failure(description: "\(SystemError.last("mkdtemp"))")
        }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard unsafe chmod(path, 0o711) == 0 else {
            throw ChildProcess.Failure(description: "\(SystemError.last("chmod"))")
        }
        let path = self.path
        Cleanup.atExit { Self.remove(path) }
    }

    package func remove() { Self.remove(path) }

    private static func remove(_ path: String) {
        precondition(path.hasPrefix("\(parent)/\(prefix)"), "only our own directories are removed")
        // A shell starts it and ends at once, so that it is no child of this process: it takes its time, and a child that
        // nobody waits for would stay, dead, and hold up the library's exit tests, which wait for any child. A directory
        // that stays is removed by the next run.
        try? ChildProcess.run(["sh", "-c", "rm -rf \"$1\" &", "sh", path])
    }

    /// Removes what runs that were killed have left behind.
    static func removeStale() {
        for name in stale(in: parent) { remove("\(parent)/\(name)") }
    }

    /// The names of directories in `folder` whose process is gone. A folder that cannot be read has none.
    static func stale(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { name in
            guard name.hasPrefix(prefix) else { return false }
            guard let owner = pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" }) else { return false }
            return kill(owner, 0) != 0 && errno == ESRCH
        }
    }
}

/// What is done when the process ends in an orderly way, last registered first.
enum Cleanup {
    private static let actions = Mutex<[@Sendable () -> Void]>([])
    private static let registration: Void = {
        atexit {
            while let action = Cleanup.actions.withLock({ $0.popLast() }) { action() }
        }
        TemporaryDirectory.removeStale()
    }()

    static func prepare() { registration }

    static func atExit(_ action: @escaping @Sendable () -> Void) {
        prepare()
        actions.withLock { $0.append(action) }
    }
}
