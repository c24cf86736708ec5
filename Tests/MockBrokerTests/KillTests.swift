import Domain
import FoundationEssentials
import Glibc
import MockBroker
import Synchronization
import Testing

/// The process is killed (SIGKILL) while orders run: what was answered must be in the journal, and nothing twice.
@Suite struct KillTests {
    /// Where the process dies, counted in batches or in answers.
    enum Point: String, CaseIterable, Codable, Sendable {
        case beforeTheBatch, afterTheBatch, afterTheAnswer
    }

    @Test(arguments: Point.allCases, [1, 2, 7, 40])
    func nothingAnsweredIsLost(point: Point, count: Int) async throws {
        let scratch = try Scratch()
        let journal: String = scratch.path("journal")
        let answers: String = scratch.path("answers")
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [journal = journal as String, answers = answers as String, point = point as Point, count = count as Int] in
            try await placeOrdersUntilKilled(journal: journal, answers: answers, point: point, count: count)
        }
        let told = String(decoding: try scratch.bytes("answers"), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(told.count >= (point == .afterTheAnswer ? count : 0))

        let book = try Namespaces.read(journal).book
        for text in told { #expect(book.order(key(text)) != nil, "\(text) was answered and is lost") }
        #expect(Set(book.orders.map(\.content.key)).count == book.orders.count)
        // The client asks again about everything it sent: each order ends once.
        var desk = Desk()
        desk.book = book
        for number in 0..<100 { desk.place(order("\(number)")) }
        desk.advance()
        #expect(desk.book.orders.count == 100)
        #expect(desk.book.feed.count { $0.kind == .trade } == 100)
    }
}

private func placeOrdersUntilKilled(journal: String, answers: String, point: KillTests.Point, count: Int) async throws {
    var namespaces = Namespaces()
    let file = try JournalFile.open(path: journal) { record throws(InvalidRecord) in try namespaces.apply(record) }
    let price = JournalRecord.within(Namespaces.defaultName, .priceSet(apple, applePrice, at: start))
    try namespaces.apply(price)
    var first: [UInt8] = []
    JournalFrame.append(record: price.encoded, to: &first)
    try file.append(payload: first)
    let log = unsafe open(answers, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let batches = Countdown(count)
    let answered = Countdown(count)
    @Sendable func die() -> Never {
        kill(getpid(), SIGKILL)
        fatalError("SIGKILL cannot be survived")
    }
    let core = BrokerCore(
        namespaces: namespaces, venue: venue, clock: ManualClock(),
        store: BrokerCore.Store { payload throws(JournalError) in
            let isLast = batches.step()
            if isLast, point == .beforeTheBatch { die() }
            try file.append(payload: payload)
            if isLast, point == .afterTheBatch { die() }
        })
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await core.run() }
        for lane in 0..<4 {
            group.addTask {
                for number in stride(from: lane, to: 100, by: 4) {
                    try await core.perform(in: .initial) { book, now throws(BrokerRefusal) in
                        try book.place(order("\(number)"), at: now, venue)
                    } then: { _, _ in
                    }
                    let line = Array("\(number)\n".utf8)
                    _ = unsafe write(log, line, line.count)
                    if answered.step(), point == .afterTheAnswer { die() }
                }
            }
        }
        for _ in 0..<4 { try await group.next() }
        die()
    }
}

/// Says once that a number of steps was made.
private final class Countdown: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) { left = Mutex(count) }

    func step() -> Bool {
        left.withLock { left in
            left -= 1
            return left == 0
        }
    }
}
