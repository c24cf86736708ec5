import Contracts
import Domain
import FoundationEssentials
import Glibc
import MockBroker
import Protobuf
import RPCCore
import Testing

/// A rule kills the process at each place; another one starts on the same file, and the client asks again.
@Suite struct CrashTests {
    /// Where it dies, and what the file then holds of the order that it was about.
    enum Point: String, CaseIterable, Codable, Sendable {
        case beforeRead, afterReadBeforeCommit, afterCommitBeforeReply, beforeEvent, afterEvent

        var wire: BrokerInjectionPoint {
            switch self {
            case .beforeRead: .beforeRead
            case .afterReadBeforeCommit: .afterReadBeforeCommit
            case .afterCommitBeforeReply: .afterCommitBeforeReply
            case .beforeEvent: .beforeEvent
            case .afterEvent: .afterEvent
            }
        }

        var commits: Bool { self == .afterCommitBeforeReply || self == .beforeEvent || self == .afterEvent }
    }

    enum Loss: String, CaseIterable, Codable, Sendable {
        case nothing, lastWrites, everything

        var wire: BrokerCrashFault {
            switch self {
            case .nothing: BrokerCrashFault()
            case .lastWrites: BrokerCrashFault(loss: .lastWrites(.init(seconds: 3600)))
            case .everything: BrokerCrashFault(loss: .everything(BrokerEverything()))
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: Point.allCases)
    func truthAndJournalAgree(point: Point) async throws {
        let scratch = try Scratch()
        let directory = scratch.directory
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, point = point as Point] in
            try await placeUntilKilled(Scratch(sharing: directory), point, .nothing)
        }
        let told = String(decoding: try scratch.bytes("answers"), as: UTF8.self).split(separator: "\n").map(String.init)
        let book = try Namespaces.read(scratch.path("journal")).book
        for text in told { #expect(book.order(key(text)) != nil, "\(text) was answered and is lost") }
        #expect((book.order(key("fatal")) != nil) == point.commits)
        // Whatever the file has, the journal in it says how it got there.
        let noted = book.evidence.entries(after: 0, limit: .max)
        for order in book.orders {
            #expect(noted.contains { $0.isRequest(for: order.content.key.clientOrder.text) })
        }
        #expect(noted.contains { $0.isRequest(for: "fatal") })

        try await BrokerFixture.run(scratch) { fixture async throws in
            // The rules are in force again; a decision that fell once is not made twice.
            let again = try await fixture.place("fatal")
            #expect(again.replayed == point.commits)
            for text in told { #expect(try await fixture.place(text).replayed) }
            let truth = try await fixture.truth()
            #expect(Set(truth.orders.map(\.clientOrderID)).count == truth.orders.count)
            #expect(truth.orders.count == told.count + (told.contains("fatal") ? 0 : 1))
            let reports = try await fixture.stream(2 * truth.orders.count)
            #expect(Set(reports.compactMap(\.report?.execID)).count == 2 * truth.orders.count)
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: [Loss.lastWrites, .everything])
    func lossesTakeTruthAlong(loss: Loss) async throws {
        let scratch = try Scratch()
        let directory = scratch.directory
        try await BrokerFixture.run(scratch) { fixture async throws in _ = try await fixture.place("yesterday") }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, loss = loss as Loss] in
            try await placeUntilKilled(Scratch(sharing: directory), .afterCommitBeforeReply, loss)
        }
        #expect(try !scratch.bytes("answers").isEmpty)
        let book = try Namespaces.read(scratch.path("journal")).book
        #expect(book.orders.map(\.content.key.clientOrder.text) == (loss == .lastWrites ? ["yesterday"] : []))
        try await BrokerFixture.run(scratch) { fixture async throws in
            // What was answered is gone, and the id is new.
            #expect(try await !fixture.place("1").replayed)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aRequestThatACrashCutOffIsClosed() async throws {
        let scratch = try Scratch()
        let directory = scratch.directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try await placeUntilKilled(Scratch(sharing: directory), .afterCommitBeforeReply, .nothing)
        }
        // The order's, and the stream's.
        #expect(try Namespaces.read(scratch.path("journal")).book.openRequests.count == 2)
        try await BrokerFixture.run(scratch) { fixture async throws in _ = try await fixture.truth() }
        let book = try Namespaces.read(scratch.path("journal")).book
        #expect(book.openRequests.isEmpty)
        let crashed = book.evidence.entries(after: 0, limit: .max).compactMap { entry -> BrokerOrderID? in
            guard case .reply(let fact, _, let order) = entry.content, fact.fate == .crashed else { return nil }
            return order
        }
        #expect(crashed == [book.order(key("fatal"))?.id])
    }
}

extension EvidenceEntry {
    fileprivate func isRequest(for clientOrder: String) -> Bool {
        guard case .request(let fact, _, _, _) = content else { return false }
        return fact.clientOrder == clientOrder
    }
}

/// Places three orders that are answered and one at which the process dies.
private func placeUntilKilled(_ scratch: Scratch, _ point: CrashTests.Point, _ loss: CrashTests.Loss) async throws {
    let rule = BrokerRule(
        ruleID: "crash", when: BrokerSelector(clientOrderID: "fatal", toAttempt: 1), at: point.wire,
        action: .crash(loss.wire))
    let log = unsafe open(scratch.path("answers"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    try await BrokerFixture.run(scratch, .with { $0.rules = [rule] }) { fixture async throws in
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await fixture.stream(100) }
            for text in ["1", "2", "3", "fatal"] {
                _ = try await fixture.place(text)
                let line = Array("\(text)\n".utf8)
                _ = unsafe write(log, line, line.count)
            }
            try await group.waitForAll()
        }
    }
}
