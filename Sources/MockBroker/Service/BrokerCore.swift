internal import Contracts
internal import DequeModule
package import Domain
internal import Limits
internal import Synchronization

/// The books, and the way of every change to the disk.
///
/// A command decides, applies and queues its records under one short lock; the writer's thread takes what has gathered
/// while the last batch was being written, and writes it as one batch (group commit). What a caller is told is only
/// ever based on records that are on disk: `perform` returns when they are, and readers see the feed up to there.
/// When the disk fails nothing more is accepted or answered.
package final class BrokerCore: Sendable {
    package let venue: BookRules
    /// The machine's clock, from which each namespace takes its own.
    package let clock: any BrokerClock
    /// Rings when more of a feed is on disk, or a namespace ends.
    let feedBell = Bell()
    /// Rings when more of a journal is on disk, or a namespace ends.
    let journalBell = Bell()
    /// Rings when something falls due earlier than what was known.
    let dueBell = Bell()
    /// Rings when a namespace's clock or rules change.
    let settingsBell = Bell()

    /// Where records end up.
    package struct Store: Sendable {
        /// Makes one batch durable. Called on one thread, which it may block; never again after it has thrown.
        let append: @Sendable ([UInt8]) throws(JournalError) -> Void
        /// Takes the loss and ends the process. Called on the same thread.
        let crash: @Sendable (CrashLoss) -> Void

        package init(
            append: @escaping @Sendable ([UInt8]) throws(JournalError) -> Void,
            crash: @escaping @Sendable (CrashLoss) -> Void = { _ in }
        ) {
            self.append = append
            self.crash = crash
        }
    }

    private struct State {
        var namespaces: Namespaces
        /// Records not yet taken by the writer, as a payload.
        var queue: [UInt8] = []
        /// Counts commands that made records. A waiter's position is the count when it decided.
        var position: UInt64 = 0
        var durablePosition: UInt64 = 0
        /// Reports of each feed that are on disk.
        var durableSequences: [SpaceID: Int]
        var waiters = Deque<(position: UInt64, continuation: CheckedContinuation<Void, any Error>)>()
        var phase = Phase.running
        /// The due time, on the machine's clock, that the background work waits for.
        var announcedDue: UnixTime?
    }

    private enum Phase {
        case running
        /// Takes no more commands, writes what it has.
        case stopping
        /// Dies after a loss.
        case crashing(CrashLoss)
        case failed
    }

    private let state: Mutex<State>
    private let store: Store
    private let queueLimitBytes: Int
    private let doorbell = Doorbell()

    /// - Parameters:
    ///   - namespaces: what the journal adds up to.
    ///   - queueLimitBytes: records that wait for the disk; past it, commands are refused.
    package init(
        namespaces: Namespaces, venue: BookRules, clock: any BrokerClock, queueLimitBytes: Int = 8 << 20, store: Store
    ) {
        self.venue = venue
        self.clock = clock
        self.queueLimitBytes = queueLimitBytes
        self.store = store
        state = Mutex(
            State(namespaces: namespaces, durableSequences: namespaces.feedEnds))
    }

    // MARK: Namespaces

    /// The namespace that has this name now.
    package func space(named name: String) throws(BrokerRefusal) -> SpaceID {
        let found = state.withLock { $0.namespaces.spaces[name]?.generation }
        guard let found else { throw .unknownNamespace(name) }
        return SpaceID(name: name, generation: found)
    }

    /// The names of all namespaces, in order.
    package var names: [String] { state.withLock { $0.namespaces.spaces.keys.sorted() } }

    /// How far the feed of each namespace is on disk.
    var durableEnds: [SpaceID: Int] {
        state.withLock { state in
            var ends: [SpaceID: Int] = [:]
            for (name, space) in state.namespaces.spaces {
                let id = SpaceID(name: name, generation: space.generation)
                ends[id] = state.durableSequences[id] ?? 0
            }
            return ends
        }
    }

    /// Makes, empties or ends namespaces; durable when it returns.
    ///
    /// - Parameter decide: gets the names there are, and gives what to record.
    package func changeNamespaces(
        _ decide: (borrowing Namespaces, UnixTime) throws(BrokerRefusal) -> [JournalRecord]
    ) async throws(BrokerRefusal) {
        var ringsDoor = false
        let result: Result<UInt64, BrokerRefusal> = state.withLock { state in
            Result { () throws(BrokerRefusal) in
                try Self.admit(state, limit: queueLimitBytes)
                let wasEmpty = state.queue.isEmpty
                for record in try decide(state.namespaces, clock.now) { Self.write(record, &state) }
                let spaces = state.namespaces.spaces
                state.durableSequences = state.durableSequences.filter { entry in
                    spaces[entry.key.name]?.generation == entry.key.generation
                }
                ringsDoor = wasEmpty && !state.queue.isEmpty
                return state.position
            }
        }
        if ringsDoor { doorbell.ring() }
        feedBell.ring()
        journalBell.ring()
        settingsBell.ring()
        dueBell.ring()
        try await durable(result.get())
    }

    // MARK: Commands

    /// Does what is due, lets `decide` make records from the book, applies them, and returns what `then` makes of the
    /// answer and the changed book, once all that it is based on is on disk.
    ///
    /// - Throws: what `decide` throws, with nothing changed; `BrokerRefusal.busy`, `.stopping` and `.unknownNamespace`,
    ///   with nothing changed; `BrokerRefusal.storeFailed` when the disk failed, where nobody knows whether the records
    ///   are there.
    package func perform<Answer: Sendable, Output: Sendable>(
        in space: SpaceID,
        _ decide: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> Decision<Answer>,
        then: (borrowing BrokerBook, Answer) -> Output
    ) async throws(BrokerRefusal) -> Output {
        let (output, position) = try commit(in: space, decide, then)
        try await durable(position)
        return output
    }

    /// Records facts without waiting for the disk: what they tell has happened already.
    package func note(in space: SpaceID, _ records: (UnixTime) -> [BrokerRecord]) throws(BrokerRefusal) {
        try commit(in: space) { _, now throws(BrokerRefusal) in
            Decision(records: records(now), answer: ())
        } _: { _, _ in
        }
    }

    /// Records what the configuration says, where that is new. Durable with the first batch.
    func configure(
        _ behavior: Behavior, _ rules: [Rule], _ prices: [InstrumentID: Price],
        _ replayed: [InstrumentID: [PricePoint]]
    ) throws(BrokerRefusal) {
        let space = try space(named: Namespaces.defaultName)
        try commit(in: space) { book, now throws(BrokerRefusal) in
            guard book.configured?.behavior != behavior || book.configured?.rules != rules else {
                return Decision(records: [], answer: ())
            }
            let records = try book.setBehavior(behavior, .configuration, at: now)
            return Decision(
                records: records + [.rulesCleared(at: now)]
                    + rules.map { .rulePut($0, .configuration, at: now) }, answer: ())
        } _: { _, _ in
        }
        for (symbol, points) in replayed.sorted(by: { $0.key < $1.key }) {
            try commit(in: space) { book, now throws(BrokerRefusal) in
                let path = PricePath.replayed(points, before: prices[symbol] ?? points[0].price)
                let isNew = book.paths[symbol] != path
                return Decision(records: isNew ? book.setPath(symbol, path, at: now) : [], answer: ())
            } _: { _, _ in
            }
        }
        for (symbol, price) in prices.sorted(by: { $0.key < $1.key }) where replayed[symbol] == nil {
            try commit(in: space) { book, now throws(BrokerRefusal) in
                let isNew = book.prices[symbol] != price || book.paths[symbol] != nil
                return Decision(records: isNew ? try book.setPrice(symbol, price, at: now) : [], answer: ())
            } _: { _, _ in
            }
        }
    }

    /// Answers for requests that a crash left without one.
    func closeOpenRequests() throws(BrokerRefusal) {
        for name in names {
            try commit(in: try space(named: name)) { book, now throws(BrokerRefusal) in
                Decision(
                    records: book.openRequests.map {
                        .replied(ReplyFact(request: $0, code: nil, fate: .crashed), at: now)
                    }, answer: ())
            } _: { _, _ in
            }
        }
    }

    /// Looks into the book; what `read` returns is on disk when this returns.
    package func read<Answer: Sendable>(
        in space: SpaceID, _ read: (borrowing BrokerBook, UnixTime) throws(BrokerRefusal) -> Answer
    ) async throws(BrokerRefusal) -> Answer {
        let result: Result<(Answer, UInt64), BrokerRefusal> = state.withLock { state in
            Result { () throws(BrokerRefusal) in
                let book = try Self.book(space, state)
                return (try read(book, book.clock.now(clock.now)), state.position)
            }
        }
        let (answer, position) = try result.get()
        try await durable(position)
        return answer
    }

    /// Up to `limit` reports after `sequence` that are on disk, the durable end of the feed, and the time.
    package func feed<Report: Sendable>(
        in space: SpaceID, after sequence: Int, limit: Int,
        _ transform: (borrowing BrokerBook, Int, UnixTime) -> Report
    ) throws(BrokerRefusal) -> (reports: [Report], durableSequence: Int, now: UnixTime) {
        let result: Result<([Report], Int, UnixTime), BrokerRefusal> = state.withLock { state in
            Result { () throws(BrokerRefusal) in
                let book = try Self.book(space, state)
                let now = book.clock.now(clock.now)
                let durable = state.durableSequences[space] ?? 0
                let end = min(durable, sequence + limit)
                let reports = sequence < end ? (sequence + 1...end).map { transform(book, $0, now) } : []
                return (reports, durable, now)
            }
        }
        return try result.get()
    }

    /// A report that a stream takes, and what rules make of it.
    struct Offer: Sendable {
        let sequence: Int
        let at: UnixTime
        /// Nil when no rule looks at reports.
        let attempt: Int?
        let decisions: [RuleDecision]
        let firings: [Firing]
    }

    /// Up to `limit` reports after `sequence` that are on disk, as far as they are about these accounts (nil means all),
    /// each asked about by the rules once; and the last sequence that was looked at.
    func offers(
        in space: SpaceID, after sequence: Int, limit: Int, of accounts: Set<AccountID>?
    ) throws(BrokerRefusal) -> (offers: [Offer], end: Int) {
        let (sequences, end, asks) = try look(in: space) { book, durable in
            let end = max(sequence, min(durable, sequence + limit))
            let wanted = (sequence..<end).map { $0 + 1 }.filter { sequence in
                accounts?.contains(book.orders[book.feed[sequence - 1].order].content.key.account) ?? true
            }
            return (wanted, end, book.rules.asksAboutReports)
        }
        guard asks else {
            let offers = try look(in: space) { book, _ in
                sequences.map {
                    Offer(sequence: $0, at: book.feed[$0 - 1].at, attempt: nil, decisions: [], firings: [])
                }
            }
            return (offers, end)
        }
        var offers: [Offer] = []
        // One by one: what one report makes of a rule counts for the next.
        for sequence in sequences {
            offers.append(
                try commit(in: space) { book, now throws(BrokerRefusal) in
                    let (decisions, firings) = book.offer(sequence, at: now)
                    return Decision(
                        records: [.asked(sequence: sequence, decisions, at: now)],
                        answer: Offer(
                            sequence: sequence, at: book.feed[sequence - 1].at, attempt: book.offers(sequence) + 1,
                            decisions: decisions, firings: firings))
                } _: { _, offer in
                    offer
                }.0)
        }
        return (offers, end)
    }

    /// The report with this sequence, as it travels.
    func report(in space: SpaceID, _ sequence: Int) throws(BrokerRefusal) -> BrokerSequencedReport {
        try look(in: space) { book, _ in book.toldReport(sequence) }
    }

    /// Whether there is such a rule and it is enabled.
    func holds(_ rule: String, in space: SpaceID) -> Bool {
        (try? look(in: space) { book, _ in book.rules.rule(rule)?.isEnabled ?? false }) ?? false
    }

    /// The cursor after the last report on disk, and its sequence.
    package func lastCursor(in space: SpaceID) throws(BrokerRefusal) -> (text: String, sequence: Int) {
        try look(in: space) { book, durable in (book.cursor(after: durable), durable) }
    }

    /// The cursor after a report, and its sequence.
    package func cursor(in space: SpaceID, after sequence: Int) throws(BrokerRefusal) -> (text: String, sequence: Int) {
        try look(in: space) { book, _ in (book.cursor(after: sequence), sequence) }
    }

    /// The sequence that a cursor stands after; throws when this broker has given no such cursor.
    func sequence(in space: SpaceID, of cursor: String) throws(BrokerRefusal) -> Int {
        let sequence = try look(in: space) { book, _ in book.sequence(of: cursor) }
        guard let sequence else { throw .unknownCursor }
        return sequence
    }

    /// The namespace's time.
    package func now(in space: SpaceID) throws(BrokerRefusal) -> UnixTime {
        try look(in: space) { book, _ in book.clock.now(clock.now) }
    }

    private func look<Output: Sendable>(
        in space: SpaceID, _ body: (borrowing BrokerBook, Int) -> Output
    ) throws(BrokerRefusal) -> Output {
        let result: Result<Output, BrokerRefusal> = state.withLock { state in
            Result { () throws(BrokerRefusal) in
                body(try Self.book(space, state), state.durableSequences[space] ?? 0)
            }
        }
        return try result.get()
    }

    /// Records that wait for the writer.
    package var queuedBytes: Int { state.withLock { $0.queue.count } }

    /// How much there is in all namespaces, on disk or not yet.
    package var summary: (orders: Int, reports: Int) {
        state.withLock { state in
            let books = state.namespaces.spaces.values.map(\.book)
            return (books.reduce(0) { $0 + $1.orders.count }, books.reduce(0) { $0 + $1.feed.count })
        }
    }

    var isRunning: Bool { state.withLock { if case .running = $0.phase { true } else { false } } }

    func checkRunning() throws(BrokerRefusal) {
        switch state.withLock({ $0.phase }) {
        case .running: break
        case .stopping, .crashing: throw .stopping
        case .failed: throw .storeFailed
        }
    }

    @discardableResult
    private func commit<Answer: Sendable, Output: Sendable>(
        in space: SpaceID,
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
                try Self.admit(state, limit: queueLimitBytes)
                // Read under the lock, so that the records follow the clock.
                let machine = clock.now
                let now = try Self.book(space, state).clock.now(machine)
                let wasEmpty = state.queue.isEmpty
                defer { ringsDoor = wasEmpty && !state.queue.isEmpty }
                // So that a race is decided by the times and not by which thread came first.
                writeDue(by: now, in: space.name, limit: 2 * queueLimitBytes, &state)
                let decision = try decide(try Self.book(space, state), now)
                for record in decision.records { Self.write(.within(space.name, record), &state) }
                let later = try Self.book(space, state).clock.now(machine)
                if later > now { writeDue(by: later, in: space.name, limit: 2 * queueLimitBytes, &state) }
                if let due = Self.nextDue(in: space.name, &state),
                    due < state.announcedDue ?? UnixTime(nanoseconds: .max)
                {
                    state.announcedDue = due
                    ringsDue = true
                }
                return (then(try Self.book(space, state), decision.answer), state.position)
            }
        }
        return try result.get()
    }

    /// - Parameter limit: bytes of the queue past which the rest waits for the next time.
    private func writeDue(by now: UnixTime, in name: String, limit: Int, _ state: inout State) {
        while state.queue.count < limit,
            let record = state.namespaces.withBook(name, { $0.recordDue(by: now, venue) }) ?? nil
        {
            Self.write(.within(name, record), &state)
        }
    }

    /// When the next thing falls due on the machine's clock; nil while nothing does, or the namespace's clock stands.
    private static func nextDue(in name: String, _ state: inout State) -> UnixTime? {
        state.namespaces.withBook(name) { book in book.nextDue().flatMap { book.clock.machineDue($0.at) } } ?? nil
    }

    private static func book(_ space: SpaceID, _ state: borrowing State) throws(BrokerRefusal) -> BrokerBook {
        guard let found = state.namespaces.spaces[space.name], found.generation == space.generation else {
            throw .unknownNamespace(space.name)
        }
        return found.book
    }

    private static func admit(_ state: borrowing State, limit: Int) throws(BrokerRefusal) {
        switch state.phase {
        case .running: break
        case .stopping, .crashing: throw .stopping
        case .failed: throw .storeFailed
        }
        guard state.queue.count < limit else { throw .busy }
    }

    private static func write(_ record: JournalRecord, _ state: inout State) {
        do {
            switch record {
            case .within(let name, let record): try state.namespaces.apply(record, in: name)
            case .created, .deleted: try state.namespaces.apply(record)
            }
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
                    switch state.phase {
                    case .running, .stopping: break
                    case .failed, .crashing: return .failure(BrokerRefusal.storeFailed)
                    }
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
                    try store.append(batch.payload)
                } catch {
                    fail()
                    throw error
                }
                acknowledge(batch)
            }
            let (isOver, loss) = state.withLock { state -> (Bool, CrashLoss?) in
                switch state.phase {
                case .running: (false, nil)
                case .stopping, .failed: (state.queue.isEmpty, nil)
                case .crashing(let loss): (true, loss)
                }
            }
            if let loss { store.crash(loss) }
            if isOver { return }
        }
    }

    private struct Batch {
        let payload: [UInt8]
        let position: UInt64
        let sequences: [SpaceID: Int]
    }

    private func takeBatch() -> Batch? {
        state.withLock { state in
            // What a process that dies had not written is not written any more.
            if case .crashing = state.phase { return nil }
            guard !state.queue.isEmpty else { return nil }
            defer { state.queue = [] }
            return Batch(
                payload: state.queue, position: state.position,
                sequences: state.namespaces.feedEnds)
        }
    }

    private func acknowledge(_ batch: Batch) {
        var ready: [CheckedContinuation<Void, any Error>] = []
        let hasNews = state.withLock { state in
            state.durablePosition = batch.position
            while let first = state.waiters.first, first.position <= batch.position {
                ready.append(state.waiters.removeFirst().continuation)
            }
            var hasNews = false
            for (space, sequence) in batch.sequences {
                // A namespace that was emptied or ended meanwhile is another one.
                guard state.namespaces.spaces[space.name]?.generation == space.generation else { continue }
                hasNews = hasNews || state.durableSequences[space] ?? 0 < sequence
                state.durableSequences[space] = sequence
            }
            return hasNews
        }
        for continuation in ready { continuation.resume() }
        if hasNews { feedBell.ring() }
        journalBell.ring()
    }

    private func fail() {
        let waiters = state.withLock { state in
            state.phase = .failed
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(throwing: BrokerRefusal.storeFailed) }
        feedBell.ring()
        journalBell.ring()
        dueBell.ring()
    }

    /// Refuses commands from now on; the writer ends when everything is on disk.
    private func stop() {
        state.withLock { if case .running = $0.phase { $0.phase = .stopping } }
        doorbell.ring()
        dueBell.ring()
        feedBell.ring()
        journalBell.ring()
    }

    /// Loses what is to be lost and ends the process: no answer leaves any more.
    package func crash(_ loss: CrashLoss) {
        state.withLock { $0.phase = .crashing(loss) }
        doorbell.ring()
    }

    // MARK: Waiting

    /// Returns when the namespace's clock shows `time`, however it gets there. Throws `CancellationError`, and a refusal
    /// when the namespace ends meanwhile.
    package func sleep(in space: SpaceID, until time: UnixTime) async throws {
        while true {
            let rings = settingsBell.rings
            let clock = try look(in: space) { book, _ in book.clock }
            guard clock.now(self.clock.now) < time else { return }
            try await settingsBell.wait(past: rings, until: clock.machineTime(of: time), on: self.clock)
        }
    }

    /// Returns when the namespace has no such rule any more, or it is disabled.
    package func waitForRelease(of rule: String, in space: SpaceID) async throws {
        while true {
            let rings = settingsBell.rings
            guard holds(rule, in: space) else { return }
            try await settingsBell.wait(past: rings, until: nil, on: clock)
        }
    }

    /// Returns when there is news of the feed, the clock or the rules, or the namespace's clock shows `time`.
    func waitForNews(in space: SpaceID, past rings: UInt64, settings: UInt64, until time: UnixTime) async throws {
        let clock = try look(in: space) { book, _ in book.clock }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.settingsBell.wait(past: settings) }
            group.addTask {
                try await self.feedBell.wait(past: rings, until: clock.machineTime(of: time), on: self.clock)
            }
            try await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    /// Wakes whoever waits by a clock or for a rule.
    func announceSettings() {
        settingsBell.ring()
        dueBell.ring()
    }

    /// Whether replies keep to themselves which rules fired.
    func hidesDecisions(in space: SpaceID) -> Bool {
        (try? look(in: space) { book, _ in book.behavior.hidesDecisions }) ?? true
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
            guard case .running = state.phase else { return (state.position, nil) }
            let machine = clock.now
            let wasEmpty = state.queue.isEmpty
            // Not the books themselves: a second owner would make the first change of each copy it.
            for (name, clock) in state.namespaces.spaces.mapValues(\.book.clock) {
                writeDue(by: clock.now(machine), in: name, limit: queueLimitBytes, &state)
            }
            ringsDoor = wasEmpty && !state.queue.isEmpty
            state.announcedDue = Array(state.namespaces.spaces.keys).compactMap { Self.nextDue(in: $0, &state) }.min()
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
