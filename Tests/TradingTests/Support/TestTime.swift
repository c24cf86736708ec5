import Domain
import Synchronization

/// A time that stands still until a test moves it.
final class TestTime: Sendable {
    /// Monday 2024-03-11, 10:30 in New York.
    private let time = Mutex(UnixTime(seconds: 1_710_167_400))

    var now: UnixTime { time.withLock { $0 } }
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}
