internal import EventLoop
internal import Limits

/// Exchanges that wait to be driven, and the bounded crew that drives them.
///
/// What does not fit is not lost: its lease runs out, and a recovery takes it over.
final class DriveQueue: Sendable {
    private let channel: BatchChannel<ExchangeDriver.Drive>
    private let capacity: Int
    private let concurrency: Int

    init(capacity: Int, concurrency: Int) {
        channel = BatchChannel(capacity: capacity)
        self.capacity = capacity
        self.concurrency = concurrency
    }

    /// Whether another exchange may be accepted.
    var hasRoom: Bool { channel.count < capacity }

    /// Room for a recovery, which leaves half of the queue to requests.
    var roomForRecovery: Int { max(0, capacity / 2 - channel.count) }

    /// Has an exchange driven soon; when the queue is full or closed, after its lease has run out.
    func start(_ drive: ExchangeDriver.Drive) { _ = channel.trySend(drive) }

    /// Drives until the task is cancelled, on the loops of `group` in turn.
    func run(_ driver: ExchangeDriver, on group: EventLoopGroup) async {
        await withTaskGroup(of: Void.self) { tasks in
            var running = 0
            while let batch = await channel.receiveBatch(maximum: concurrency) {
                for drive in batch {
                    if running == concurrency {
                        await tasks.next()
                        running -= 1
                    }
                    tasks.addTask(executorPreference: group.nextInTurn) { await driver.run(drive) }
                    running += 1
                }
            }
        }
    }
}
