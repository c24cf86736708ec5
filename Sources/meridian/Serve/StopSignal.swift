import Glibc
import Limits
import Synchronization

/// SIGTERM and SIGINT as something to wait for.
///
/// A thread of its own waits for them. Make one for the process, at its start.
final class StopSignal: Sendable {
    private struct State {
        var count = 0
    }
    private let state = Mutex(State())
    private let wakeUp = WakeUp()
    /// The thread that waits: set before the handler that reads it is installed.
    private nonisolated(unsafe) static var waiter = pthread_t()

    init() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        var thread = pthread_t()
        let owner = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { pointer in
                let owner = unsafe Unmanaged<StopSignal>.fromOpaque(pointer!).takeRetainedValue()
                var signals = sigset_t()
                unsafe sigemptyset(&signals)
                unsafe sigaddset(&signals, SIGTERM)
                unsafe sigaddset(&signals, SIGINT)
                while true {
                    var number: Int32 = 0
                    if unsafe sigwait(&signals, &number) == 0 { owner.arrived() }
                }
            }, owner.toOpaque())
        precondition(result == 0, "pthread_create failed with \(result)")
        pthread_detach(thread)
        unsafe Self.waiter = thread
        // libdispatch parks the main thread in sigsuspend with nothing blocked, where the default action would end the
        // process. The handler passes the signal on; pthread_kill may be called there (signal-safety(7)).
        let passOn: @convention(c) (Int32) -> Void = { number in
            _ = unsafe pthread_kill(StopSignal.waiter, number)
        }
        for number in [SIGTERM, SIGINT] { signal(number, passOn) }
    }

    /// Whether a signal has come.
    var hasCome: Bool { state.withLock { $0.count > 0 } }

    /// Returns when the first signal has come, or the task is cancelled.
    func wait() async {
        while state.withLock({ $0.count }) == 0, !Task.isCancelled { await wakeUp.wait() }
    }

    /// The second signal means at once.
    private func arrived() {
        let count = state.withLock { state in
            state.count += 1
            return state.count
        }
        if count > 1 { exit(130) }
        wakeUp.wake()
    }
}
