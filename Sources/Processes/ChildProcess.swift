internal import CLinux
internal import EventLoop
internal import Glibc
internal import Limits
internal import Synchronization

/// A child program. Its calls block: use them on a `BlockingPool`.
package final class ChildProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    package let identifier: Int32
    private let status = Mutex<Int32?>(nil)

    /// Starts `arguments[0]`, found in PATH.
    ///
    /// With PR_SET_PDEATHSIG among the arguments (setpriv), the program ends with the *thread* that called this: call it
    /// on a thread that lives as long as the process, such as those of `BlockingPool`.
    ///
    /// - Parameters:
    ///   - logPath: of the file to which it appends what `output` and `errors` do not take.
    ///   - input: a descriptor for its standard input, which is empty without.
    ///   - output: a descriptor for its standard output.
    ///   - errors: a descriptor for its standard error.
    ///   - environment: variables beside ours, or in their place.
    ///   - folder: where it runs; ours without.
    package init(
        _ arguments: [String], logPath: String = "/dev/null", input: Int32? = nil, output: Int32? = nil,
        errors: Int32? = nil, environment: [String: String] = [:], folder: String? = nil
    ) throws(Failure) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        for (stream, descriptor) in [(1 as Int32, output), (2, errors)] {
            if let descriptor {
                unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, stream)
            } else {
                unsafe posix_spawn_file_actions_addopen(
                    &actions, stream, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            }
        }
        if let folder { unsafe clinux_spawn_in_folder(&actions, folder) }
        // Nothing else of ours stays open in a child: not a pipe whose end somebody waits for, not a lock.
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
        var identifier: pid_t = 0
        let code = unsafe Self.withCStrings(arguments) { arguments in
            unsafe Self.withCStrings(Self.variables(adding: environment)) { variables in
                unsafe posix_spawnp(&identifier, arguments[0]!, &actions, &attributes, arguments, variables)
            }
        }
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

    /// Waits for its end and returns what it exited with; nil when a signal has ended it.
    package func exitStatus() -> Int32? {
        let value = wait()
        return value & 0x7f == 0 ? value >> 8 & 0xff : nil
    }

    /// Waits for its end, but not longer than `limit`. Returns whether it has ended.
    package func waits(atMost limit: Duration) throws(Failure) -> Bool {
        let deadline = Deadline(instant: .now + limit)
        while !hasEnded {
            let descriptor = clinux_process_descriptor(identifier)
            guard descriptor >= 0 else { throw Failure(description: "\(SystemError.last("pidfd_open"))") }
            defer { close(descriptor) }
            var end = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = max(0, deadline.remainingNanoseconds / 1_000_000 + 1)
            guard unsafe poll(&end, 1, Int32(clamping: milliseconds)) != 0 else { return hasEnded }
        }
        return true
    }

    /// Runs a program to its end.
    package static func run(_ arguments: [String], logPath: String = "/dev/null") throws(Failure) {
        let status = try ChildProcess(arguments, logPath: logPath).wait()
        guard status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")) ended with \(status); see \(logPath)")
        }
    }

    /// Our environment with `own` beside it, or in its place.
    private static func variables(adding own: [String: String]) -> [String] {
        var variables: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let variable = unsafe String(cString: entry)
            if own[String(variable.prefix { $0 != "=" })] == nil { variables.append(variable) }
            unsafe next += 1
        }
        return variables + own.map { "\($0)=\($1)" }
    }

    /// Calls `body` with the texts as C has them, ended by nil.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let strings = unsafe texts.map { unsafe strdup($0) }
        defer {
            for index in unsafe strings.indices { unsafe free(strings[index]) }
        }
        return unsafe body(strings + [nil])
    }
}
