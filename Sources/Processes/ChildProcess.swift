internal import CLinux
internal import EventLoop
internal import Glibc
internal import Synchronization

/// A child program. Its calls block: use them on a `BlockingPool`.
package final class ChildProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    package let identifier: Int32
    private let status = Mutex<Int32?>(nil)

    /// Starts `arguments[0]`, found in PATH, with its output appended to `logPath`.
    ///
    /// With PR_SET_PDEATHSIG among the arguments (setpriv), the program ends with the *thread* that called this: call it
    /// on a thread that lives as long as the process, such as those of `BlockingPool`.
    package init(_ arguments: [String], logPath: String = "/dev/null") throws(Failure) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Nothing of ours stays open in a server: not a pipe whose end somebody waits for, not a lock.
        unsafe clinux_spawn_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A process group of its own: an interrupt at the terminal reaches it through us, not beside us.
        // The threads of the shared pool block signals; the program starts with none blocked, or it could not be ended.
        var noSignals = sigset_t()
        unsafe sigemptyset(&noSignals)
        unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        let strings = unsafe arguments.map { unsafe strdup($0) }
        defer {
            for index in unsafe strings.indices { unsafe free(strings[index]) }
        }
        var identifier: pid_t = 0
        let code = unsafe posix_spawnp(&identifier, arguments[0], &actions, &attributes, strings + [nil], environ)
        guard code == 0 else {
            throw Failure(
                description: "\(arguments[0]) cannot be started: \(SystemError(call: "posix_spawn", code: code))")
        }
        self.identifier = identifier
    }

    package func send(_ signal: Int32) {
        status.withLock { status in
            if status == nil { kill(identifier, signal) }  // Once reaped, the number may be another's.
        }
    }

    /// The exit status if it has ended.
    package var hasEnded: Bool {
        status.withLock { status in
            guard status == nil else { return true }
            var value: Int32 = 0
            guard unsafe waitpid(identifier, &value, WNOHANG) == identifier else { return false }
            status = value
            return true
        }
    }

    /// Waits for its end and returns the wait status; 0 is success.
    @discardableResult
    package func wait() -> Int32 {
        status.withLock { status in
            if let status { return status }
            var value: Int32 = 0
            while unsafe waitpid(identifier, &value, 0) < 0 { precondition(errno == EINTR, "waitpid: \(errno)") }
            status = value
            return value
        }
    }

    /// Runs a program to its end.
    package static func run(_ arguments: [String], logPath: String = "/dev/null") throws(Failure) {
        let status = try ChildProcess(arguments, logPath: logPath).wait()
        guard status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")) ended with \(status); see \(logPath)")
        }
    }
}
