import Glibc
import Limits
import Synchronization

/// SIGTERM and SIGINT as something to wait for.
///
/// Make it before other threads start: they inherit that the signals are blocked, so that only its own thread takes them.
final class StopSignal: Sendable {
    private struct State {
        var count = 0
    }
    private let state = Mutex(State())
    private let wakeUp = WakeUp()

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
    }

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
