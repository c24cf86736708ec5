import Dispatch
import Domain
import MockBroker
import Synchronization
import Testing

/// How commands reach the disk: nothing is told before it is there, and nothing is taken when it cannot be.
@Suite struct CoreTests {
    /// A disk that finishes a batch when it is told to.
    private final class Disk: Sendable {
        private let batches = Mutex<[[JournalRecord]]>([])
        private let started: AsyncStream<Int>
        private let reportStart: AsyncStream<Int>.Continuation
        private let outcomes = Mutex<[Bool]>([])
        private let permits = DispatchSemaphore(value: 0)

        init() { (started, reportStart) = AsyncStream.makeStream() }

        func append(_ payload: [UInt8]) throws(JournalError) {
            let records: [JournalRecord]
            do { records = try JournalFrame.records(payload[...]) } catch { throw .unreadable(offset: 0, error) }
            reportStart.yield(records.count)
            permits.wait()
            guard outcomes.withLock({ $0.removeFirst() }) else { throw .system(call: "pwrite", code: 28) }
            batches.withLock { $0.append(records) }
        }

        /// The next batch that the writer began to write, by its count of records.
        func nextStart() async -> Int? {
            var iterator = started.makeAsyncIterator()
            return await iterator.next()
        }

        /// Lets the batch that is being written, or the next one, end.
        func finish(ok: Bool = true) {
            outcomes.withLock { $0.append(ok) }
            permits.signal()
        }

        var batchSizes: [Int] { batches.withLock { $0.map(\.count) } }
    }

    private func withCore(
        queueLimitBytes: Int = 1 << 20, _ body: @Sendable @escaping (BrokerCore, Disk) async throws -> Void
    ) async throws {
        let disk = Disk()
        var desk = Desk { $0.fillMode = .manual }
        desk.now = start
        let core = BrokerCore(
            namespaces: try Namespaces(desk.records), venue: venue, clock: ManualClock(),
            queueLimitBytes: queueLimitBytes,
            store: BrokerCore.Store { payload throws(JournalError) in try disk.append(payload) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { do { try await core.run() } catch JournalError.system(call: "pwrite", code: 28) {} }
            try await body(core, disk)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func place(_ text: String, _ core: BrokerCore) async -> String {
        do {
            return try await core.perform(in: .initial) { book, now throws(BrokerRefusal) in
                try book.place(order(text), at: now, venue)
            } then: { book, _ in
                "order \(book.orders.count)"
            }
        } catch {
            return "\(error.reason)"
        }
    }

    /// The sequences that readers see.
    private func shown(_ core: BrokerCore) throws -> [Int] {
        try core.feed(in: .initial, after: 0, limit: 10) { _, sequence, _ in sequence }.reports
    }

    @Test func nothingIsToldBeforeItIsOnDisk() async throws {
        try await withCore { core, disk in
            async let answer = place("1", core)
            #expect(await disk.nextStart() == 1)
            // Applied in memory, but neither the feed nor a look-up may show it yet.
            #expect(try shown(core).isEmpty)
            let answered = Mutex(false)
            async let lookup: Void = {
                _ = try await core.read(in: .initial) { book, _ throws(BrokerRefusal) in book.orders.count }
                answered.withLock { $0 = true }
            }()
            #expect(!answered.withLock { $0 })
            disk.finish()
            #expect(await answer == "order 1")
            try await lookup
            #expect(try shown(core) == [1])
        }
    }

    /// A batch that was on its way when its namespace was emptied says nothing about the new one.
    @Test func aBatchOfAnEmptiedNamespaceIsNotTheNewOnes() async throws {
        try await withCore { core, disk in
            async let answer = place("1", core)
            #expect(await disk.nextStart() == 1)
            async let emptied: Void = core.changeNamespaces { _, _ throws(BrokerRefusal) in
                [.deleted(Namespaces.defaultName), .created(Namespaces.defaultName)]
            }
            while core.summary.reports > 0 { await Task.yield() }
            disk.finish()
            #expect(await answer == "order 1")
            let space = try core.space(named: Namespaces.defaultName)
            let shown = try core.feed(in: space, after: 0, limit: 10) { book, sequence, _ in book.feed[sequence - 1] }
            #expect(shown.durableSequence == 0)
            disk.finish()
            try await emptied
        }
    }

    @Test func whatGathersWhileTheDiskWorksIsOneBatch() async throws {
        try await withCore { core, disk in
            await withTaskGroup(of: String.self) { group in
                group.addTask { await place("first", core) }
                #expect(await disk.nextStart() == 1)
                for number in 1...50 { group.addTask { await place("\(number)", core) } }
                while core.summary.reports < 51 { await Task.yield() }
                disk.finish()
                #expect(await disk.nextStart() == 50)
                disk.finish()
                for await answer in group { #expect(answer.hasPrefix("order ")) }
            }
            #expect(disk.batchSizes == [1, 50])
        }
    }

    @Test func aFullQueueRefuses() async throws {
        try await withCore(queueLimitBytes: 300) { core, disk in
            async let first = place("0", core)
            #expect(await disk.nextStart() == 1)
            var queued: [Task<String, Never>] = []
            while core.queuedBytes < 300 {
                let before = core.summary.reports
                queued.append(Task { await place("\(before)", core) })
                while core.summary.reports == before { await Task.yield() }
            }
            #expect(await place("late", core) == "BUSY")
            #expect(core.summary.orders == 1 + queued.count)
            disk.finish()
            disk.finish()
            #expect(await first == "order 1")
            for task in queued { #expect(await task.value.hasPrefix("order ")) }
        }
    }

    @Test func aBrokenDiskEndsEverything() async throws {
        try await withCore { core, disk in
            async let first = place("1", core)
            #expect(await disk.nextStart() == 1)
            async let second = place("2", core)
            while core.summary.reports < 2 { await Task.yield() }
            disk.finish(ok: false)
            #expect(await first == "STORE_FAILED")
            #expect(await second == "STORE_FAILED")
            #expect(await place("3", core) == "STORE_FAILED")
            let visible = try shown(core)
            #expect(visible.isEmpty)
        }
    }

    @Test func whatWasDecidedIsWrittenWhenItStops() async throws {
        let disk = Disk()
        let core = BrokerCore(
            namespaces: try Namespaces(Desk { $0.fillMode = .manual }.records), venue: venue, clock: ManualClock(),
            store: BrokerCore.Store { payload throws(JournalError) in try disk.append(payload) })
        let run = Task { try await core.run() }
        async let first = place("1", core)
        #expect(await disk.nextStart() == 1)
        async let second = place("2", core)
        while core.summary.reports < 2 { await Task.yield() }
        run.cancel()
        disk.finish()
        disk.finish()
        try await run.value
        #expect(await first == "order 1")
        #expect(await second == "order 2")
        #expect(await place("3", core) == "STOPPING")
        #expect(disk.batchSizes == [1, 1])
    }
}
