internal import DequeModule
package import Domain
internal import Synchronization

/// The book, and the way of every change to the disk.
///
/// A command decides, applies and queues its records under one short lock; the writer's thread takes what has gathered
/// while the last batch was being written, and writes it as one batch (group commit). What a caller is told is only
/// ever based on records that are on disk: `perform` returns when they are, and readers see the feed up to there.
/// When the disk fails nothing more is accepted or answered.
package final class BrokerCore: Sendable {
    package let rules: BookRules
    package let clock: any BrokerClock
    /// Rings when more of the feed is on disk.
    let feedBell = Bell()
    /// Rings when something falls due earlier than what was known.
    let dueBell = Bell()

    private struct State {
        var book: BrokerBook
        /// Records not yet taken by the writer, as a payload.
        var queue: [UInt8] = []
        /// Counts commands that made records. A waiter's position is the count when it decided.
        var position: UInt64 = 0
        var durablePosition: UInt64 = 0
        /// Reports of the feed that are on disk.
        var durableSequence = 0
        var waiters = Deque<(position: UInt64, continuation: CheckedContinuation<Void, any Error>)>()
        var phase = Phase.running
        /// The due time that the background work waits for.
        var announcedDue: UnixTime?
    }

    private enum Phase {
        case running
        /// Takes no more commands, writes what it has.
        case stopping
        case failed
    }

    private let state: Mutex<State>
    private let append: @Sendable ([UInt8]) throws(JournalError) -> Void
    private let queueLimitBytes: Int
    private let doorbell = Doorbell()

    /// - Parameters:
    ///   - book: what the journal adds up to.
    ///   - queueLimitBytes: records that wait for the disk; past it, commands are refused.
    ///   - append: makes one batch durable. Called on one thread, which it may block; never again after it has thrown.
    package init(
        book: BrokerBook, rules: BookRules, clock: any BrokerClock, queueLimitBytes: Int = 8 << 20,
        append: @escaping @Sendable ([UInt8]) throws(JournalError) -> Void
    ) {
        self.rules = rules
        self.clock = clock
        self.queueLimitBytes = queueLimitBytes
        self.append = append
        let sequence = book.feed.count
        state = Mutex(State(book: book, durableSequence: sequence))
    }

    // MARK: Commands

    /// Does what is due, lets `decide` make records from the book, applies them, and returns what `then` makes of the
    /// answer and the changed book, once all that it is based on is on disk.
    ///
    /// - Throws: what `decide` throws, with nothing changed; `BrokerRefusal.busy` and `.stopping`, with nothing changed;
    ///   `BrokerRefusal.storeFailed` when the disk failed, where nobody knows whether the records are there.
    package func perform<Answer: Sendable, Output: Sendable>(
        _ decide: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> Decision<Answer>,
        then: (borrowing BrokerBook, Answer) -> Output
    ) async throws(BrokerRefusal) -> Output {
        let (output, position) = try commit(decide, then)
        try await durable(position)
        return output
    }

    /// Records what the configuration says, where that is new. Durable with the first batch.
    func configure(_ behavior: Behavior, _ prices: [InstrumentID: Price]) throws(BrokerRefusal) {
        try commit { book, now throws(BrokerRefusal) in
            let isNew = book.configuredBehavior != behavior
            return Decision(records: isNew ? try book.setBehavior(behavior, .configuration, at: now) : [], answer: ())
        } _: { _, _ in
        }
        for (symbol, price) in prices.sorted(by: { $0.key < $1.key }) {
            try commit { book, now throws(BrokerRefusal) in
                let isNew = book.prices[symbol] != price
                return Decision(records: isNew ? try book.setPrice(symbol, price, at: now) : [], answer: ())
            } _: { _, _ in
            }
        }
    }

    /// Looks into the book; what `read` returns is on disk when this returns.
    package func read<Answer: Sendable>(
        _ read: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> Answer
    ) async throws(BrokerRefusal) -> Answer {
        let result: Result<(Answer, UInt64), BrokerRefusal> = state.withLock { state in
            Result { () throws(BrokerRefusal) in (try read(state.book, clock.now), state.position) }
        }
        let (answer, position) = try result.get()
        try await durable(position)
        return answer
    }

    /// Up to `limit` reports after `sequence` that are on disk, the durable end of the feed, and whether that is all.
    package func feed<Report: Sendable>(
        after sequence: Int, limit: Int, _ transform: (borrowing BrokerBook, Int) -> Report
    ) -> (reports: [Report], durableSequence: Int) {
        state.withLock { state in
            let end = min(state.durableSequence, sequence + limit)
            let reports = sequence < end ? (sequence + 1...end).map { transform(state.book, $0) } : []
            return (reports, state.durableSequence)
        }
    }

    /// The cursor after the last report on disk, and its sequence.
    package var lastCursor: (text: String, sequence: Int) {
        state.withLock { ($0.book.cursor(after: $0.durableSequence), $0.durableSequence) }
    }

    /// The cursor after a report, and its sequence.
    package func cursor(after sequence: Int) -> (text: String, sequence: Int) {
        state.withLock { ($0.book.cursor(after: sequence), sequence) }
    }

    /// The sequence that a cursor stands after; throws when this broker has given no such cursor.
    func sequence(of cursor: String) throws(BrokerRefusal) -> Int {
        guard let sequence = state.withLock({ $0.book.sequence(of: cursor) }) else { throw .unknownCursor }
        return sequence
    }

    /// Records that wait for the writer.
    package var queuedBytes: Int { state.withLock { $0.queue.count } }

    /// How much there is, on disk or not yet.
    package var summary: (orders: Int, reports: Int) { state.withLock { ($0.book.orders.count, $0.book.feed.count) } }

    var isRunning: Bool { state.withLock { if case .running = $0.phase { true } else { false } } }

    func checkRunning() throws(BrokerRefusal) {
        switch state.withLock({ $0.phase }) {
        case .running: break
        case .stopping: throw .stopping
        case .failed: throw .storeFailed
        }
    }

    @discardableResult
    private func commit<Answer: Sendable, Output: Sendable>(
        _ decide: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> Decision<Answer>,
        _ then: (borrowing BrokerBook, Answer) -> Output
    ) throws(BrokerRefusal) -> (Output, UInt64) {
        var ringsDoor = false
        var ringsDue = false
        defer {
            if ringsDoor { doorbell.ring() }
            if ringsDue { dueBell.ring() }
        }
        let result: Result<(Output, UInt64), BrokerRefusal> = state.withLock { state in
            Result { () throws(BrokerRefusal) in
                try admit(state)
                // Read under the lock, so that the records follow the clock.
                let now = clock.now
                let wasEmpty = state.queue.isEmpty
                defer { ringsDoor = wasEmpty && !state.queue.isEmpty }
                // So that a race is decided by the times and not by which thread came first.
                while let record = state.book.recordDue(by: now, rules) { Self.write(record, &state) }
                let decision = try decide(state.book, now)
                for record in decision.records { Self.write(record, &state) }
                if let due = state.book.nextDue()?.at, due < state.announcedDue ?? UnixTime(nanoseconds: .max) {
                    state.announcedDue = due
                    ringsDue = true
                }
                return (then(state.book, decision.answer), state.position)
            }
        }
        return try result.get()
    }

    private func admit(_ state: borrowing State) throws(BrokerRefusal) {
        switch state.phase {
        case .running: break
        case .stopping: throw .stopping
        case .failed: throw .storeFailed
        }
        guard state.queue.count < queueLimitBytes else { throw .busy }
    }

    private static func write(_ record: BrokerRecord, _ state: inout State) {
        do {
            try state.book.apply(record)
        } catch {
            preconditionFailure("the book decided what it cannot apply: \(error)")
        }
        JournalFrame.append(record: record.encoded, to: &state.queue)
        state.position += 1
    }

    // MARK: Durability

    private func durable(_ position: UInt64) async throws(BrokerRefusal) {
        do {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if position <= state.durablePosition { return .success(()) }
                    if case .failed = state.phase { return .failure(BrokerRefusal.storeFailed) }
                    // Nearly in order; one that comes late behind a higher position waits for that one's batch.
                    state.waiters.append((position, continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } catch {
            throw .storeFailed
        }
    }

    /// Writes batches until `stop` and nothing is left, or the disk fails. Blocks: call on a thread of its own.
    private func writeUntilStopped() throws(JournalError) {
        while true {
            doorbell.wait()
            while let batch = takeBatch() {
                do {
                    try append(batch.payload)
                } catch {
                    fail()
                    throw error
                }
                acknowledge(batch)
            }
            if state.withLock({ if case .running = $0.phase { false } else { $0.queue.isEmpty } }) { return }
        }
    }

    private struct Batch {
        let payload: [UInt8]
        let position: UInt64
        let sequence: Int
    }

    private func takeBatch() -> Batch? {
        state.withLock { state in
            guard !state.queue.isEmpty else { return nil }
            defer { state.queue = [] }
            return Batch(payload: state.queue, position: state.position, sequence: state.book.feed.count)
        }
    }

    private func acknowledge(_ batch: Batch) {
        var ready: [CheckedContinuation<Void, any Error>] = []
        let hasNews = state.withLock { state in
            state.durablePosition = batch.position
            while let first = state.waiters.first, first.position <= batch.position {
                ready.append(state.waiters.removeFirst().continuation)
            }
            defer { state.durableSequence = batch.sequence }
            return state.durableSequence < batch.sequence
        }
        for continuation in ready { continuation.resume() }
        if hasNews { feedBell.ring() }
    }

    private func fail() {
        let waiters = state.withLock { state in
            state.phase = .failed
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: BrokerRefusal.storeFailed) }
        feedBell.ring()
        dueBell.ring()
    }

    /// Refuses commands from now on; the writer ends when everything is on disk.
    private func stop() {
        state.withLock { if case .running = $0.phase { $0.phase = .stopping } }
        doorbell.ring()
        dueBell.ring()
        feedBell.ring()
    }

    // MARK: Background work

    /// Writes what commands queue and does what falls due, until the task is cancelled or the disk fails. Without it
    /// no command is answered. On cancellation everything that was decided is still written.
    ///
    /// - Throws: `JournalError` when the disk failed.
    package func run() async throws {
        let outcome = Mutex<Result<Void, JournalError>>(.success(()))
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.performDueUntilCancelled() }
                do {
                    try await WriterThread.run {
                        let result = Result { () throws(JournalError) in try self.writeUntilStopped() }
                        outcome.withLock { $0 = result }
                    }
                } catch {
                    fail()
                    throw error
                }
                group.cancelAll()
                while let result = await group.nextResult() {
                    // Its own end is always a consequence of the writer's, whose error says more.
                    if case .failure(let error) = result, !(error is CancellationError), !(error is BrokerRefusal) {
                        throw error
                    }
                }
            }
        } onCancel: {
            stop()
        }
        try outcome.withLock { $0 }.get()
    }

    /// Does what is due by now and says when to come back; nil when nothing is on the list.
    private func performDue() async throws(BrokerRefusal) -> UnixTime? {
        var ringsDoor = false
        let (position, next): (UInt64, UnixTime?) = state.withLock { state in
            let now = clock.now
            let wasEmpty = state.queue.isEmpty
            while state.queue.count < queueLimitBytes, case .running = state.phase,
                let record = state.book.recordDue(by: now, rules)
            {
                Self.write(record, &state)
            }
            ringsDoor = wasEmpty && !state.queue.isEmpty
            state.announcedDue = state.book.nextDue()?.at
            return (state.position, state.announcedDue)
        }
        if ringsDoor { doorbell.ring() }
        // Waiting for the disk here holds the pace of fills to the pace of the disk.
        try await durable(position)
        return next
    }

    /// Does what falls due, until the task is cancelled.
    private func performDueUntilCancelled() async throws {
        while true {
            let rings = dueBell.rings
            let next = try await performDue()
            try await dueBell.wait(past: rings, until: next, on: clock)
        }
    }
}
