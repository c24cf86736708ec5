import Contracts
import Domain
import Limits
import MockBroker
import Protobuf
import RPCCore
import Testing

/// What a test can read in the journal, and have judged.
@Suite struct JournalQueryTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// One placement whose reply is lost, the look-up that finds it, a refused one, and a stream that shows the feed.
    private func story(_ fixture: BrokerFixture) async throws {
        try await fixture.setRules([.duplicateFills(copies: 1), .unavailable("lost", order: "order-1")])
        let lost = await status { try await fixture.place("order-1") }
        #expect(lost?.code == .unavailable)
        _ = try await fixture.place("order-1")
        let refused = await status {
            try await fixture.broker.placeOrder(BrokerFixture.request("order-2", account: "bob", symbol: "NONE"))
        }
        #expect(refused?.code == .invalidArgument)
        _ = try await fixture.stream(3)
    }

    private func query(
        _ matcher: BrokerJournalMatcher? = nil, after sequence: Int64 = 0, _ fixture: BrokerFixture
    ) async throws -> [BrokerJournalEntry] {
        try await fixture.control.queryJournal(
            BrokerQueryJournalRequest(afterSequence: sequence, matcher: matcher)
        ) { entries in
            var all: [BrokerJournalEntry] = []
            for try await entry in entries { all.append(entry) }
            return all
        }
    }

    @Test(.timeLimit(.minutes(1))) func theJournalTellsWhatHappened() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await story(fixture)
            let entries = try await query(nil, fixture)
            #expect(entries.map(\.sequence) == Array(1...Int64(entries.count)))
            guard case .control(let control) = entries[0].entry else {
                Issue.record("\(entries[0])")
                return
            }
            #expect(control.method == "SetRules")
            #expect(try BrokerSetRulesRequest(json: control.body).rules.map(\.ruleID) == ["duplicate-fills", "lost"])
            guard case .request(let request) = entries[1].entry, case .reply(let reply) = entries[2].entry else {
                Issue.record("\(entries[1...2])")
                return
            }
            #expect((request.operation, request.account, request.clientOrderID) == (.placeOrder, "alice", "order-1"))
            #expect(request.attempt == 1)
            #expect(try BrokerPlaceOrderRequest(json: request.body) == BrokerFixture.request("order-1"))
            #expect(request.decisions.map(\.ruleID) == ["lost"])
            let order = try #require(try await fixture.truth().orders.first)
            #expect(
                reply
                    == BrokerReplyEntry(
                        requestNumber: request.requestNumber, code: 0, shownCode: 14, fate: .replaced, committed: true,
                        orderID: order.orderID))
            #expect(try await query(after: 2, fixture) == Array(entries[2...]))
        }
    }

    @Test(.timeLimit(.minutes(1))) func matchersChoose() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            try await story(fixture)
            let execution = try #require(try await fixture.truth().reports.last?.report?.execID)
            // Until the stream's last delivery is noted.
            while try await query(BrokerJournalMatcher(deliveryFate: .duplicated), fixture).isEmpty {
                await Task.yield()
            }
            let cases: [(BrokerJournalMatcher, Int)] = [
                (BrokerJournalMatcher(kind: .control), 1),
                (BrokerJournalMatcher(operation: .placeOrder), 6),
                (BrokerJournalMatcher(operation: .placeOrder, kind: .request), 3),
                (BrokerJournalMatcher(operation: .cancelOrder), 0),
                (BrokerJournalMatcher(account: "bob"), 2),
                (BrokerJournalMatcher(clientOrderID: "order-1", kind: .reply), 2),
                (BrokerJournalMatcher(clientOrderID: "order-1", attempt: 2, kind: .reply), 1),
                (BrokerJournalMatcher(code: 3), 1),
                (BrokerJournalMatcher(operation: .placeOrder, code: 0), 2),
                (BrokerJournalMatcher(replyFate: .replaced), 1),
                (BrokerJournalMatcher(ruleID: "lost"), 2),
                (BrokerJournalMatcher(committed: true), 1),
                (BrokerJournalMatcher(operation: .placeOrder, committed: false), 2),
                (BrokerJournalMatcher(clientOrderID: "order-1", kind: .delivery), 3),
                (BrokerJournalMatcher(execID: execution), 2),
                (BrokerJournalMatcher(account: "alice", deliveryFate: .duplicated), 1),
                (BrokerJournalMatcher(account: "bob", kind: .delivery), 0),
            ]
            for (matcher, count) in cases {
                let found = try await query(matcher, fixture)
                #expect(found.count == count, "\(matcher)")
            }
        }
    }

    private static let wrong: [(path: String, matcher: BrokerJournalMatcher)] = [
        ("kind", BrokerJournalMatcher(kind: .unrecognized(9))),
        ("operation", BrokerJournalMatcher(operation: .unrecognized(99))),
        ("code", BrokerJournalMatcher(code: 17)),
        ("code", BrokerJournalMatcher(code: 0, kind: .request)),
        ("reply_fate", BrokerJournalMatcher(replyFate: .sent, kind: .delivery)),
        ("delivery_fate", BrokerJournalMatcher(operation: .placeOrder, deliveryFate: .dropped)),
        ("exec_id", BrokerJournalMatcher(committed: true, execID: "x")),
        ("rule_id", BrokerJournalMatcher(ruleID: "x", kind: .control)),
        ("attempt", BrokerJournalMatcher(attempt: -1)),
    ]

    @Test(arguments: wrong.indices) func whatCannotMatchIsRefused(index: Int) async throws {
        let (path, matcher) = Self.wrong[index]
        try await BrokerFixture.run(scratch) { fixture async throws in
            let queried = await status { try await query(matcher, fixture) }
            #expect(queried?.code == .invalidArgument)
            #expect(queried.flatMap { WireErrorDetail($0) }?.context["field"]?.hasPrefix("matcher.\(path)") == true)
            let verified = await status {
                try await fixture.control.verify(
                    BrokerVerifyRequest(
                        expectation: .count(BrokerCountExpectation(matcher: matcher, bound: .exactly(0)))))
            }
            #expect(
                verified.flatMap { WireErrorDetail($0) }?.context["field"]?.hasPrefix("count.matcher.\(path)") == true)
        }
    }

    @Test(.timeLimit(.minutes(1))) func followingGoesOnUntilTheCallerEnds() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            _ = try await fixture.place("order-1")
            let follow = BrokerQueryJournalRequest(
                matcher: BrokerJournalMatcher(operation: .placeOrder, kind: .request), follow: true)
            let seen = try await fixture.control.queryJournal(follow) { entries in
                var seen: [String] = []
                for try await entry in entries {
                    guard case .request(let request) = entry.entry else { continue }
                    seen.append(request.clientOrderID)
                    if seen.count == 4 { break }
                    // Each next one is only made when the one before it was seen.
                    _ = try await fixture.place("order-\(seen.count + 1)")
                }
                return seen
            }
            #expect(seen == ["order-1", "order-2", "order-3", "order-4"])
        }
    }

    @Test(.timeLimit(.minutes(1))) func followingEndsWithItsNamespace() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            _ = try await fixture.control.createNamespace(BrokerCreateNamespaceRequest(namespace: "n"))
            let ended = await status {
                try await fixture.control.queryJournal(BrokerQueryJournalRequest(namespace: "n", follow: true)) {
                    entries in
                    for try await _ in entries {
                        // The entry of its making: now it is followed.
                        _ = try await fixture.control.deleteNamespace(BrokerDeleteNamespaceRequest(namespace: "n"))
                    }
                }
            }
            #expect(ended?.reason == "UNKNOWN_NAMESPACE")
        }
    }

    // MARK: Verify

    private func verify(
        _ matcher: BrokerJournalMatcher, _ bound: BrokerCountExpectation.Bound, _ fixture: BrokerFixture
    ) async throws -> BrokerVerifyResponse {
        try await fixture.control.verify(
            BrokerVerifyRequest(expectation: .count(BrokerCountExpectation(matcher: matcher, bound: bound))))
    }

    @Test(.timeLimit(.minutes(1))) func countsAreVerified() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            for number in 1...7 { _ = try await fixture.place("order-\(number)") }
            let placed = BrokerJournalMatcher(operation: .placeOrder, kind: .request)
            let cases: [(BrokerCountExpectation.Bound, Bool, String)] = [
                (.exactly(7), true, "7 entries match, as expected"),
                (.exactly(6), false, "7 entries match, expected exactly 6"),
                (.exactly(8), false, "7 entries match, expected exactly 8"),
                (.atLeast(7), true, "7 entries match, expected at least 7"),
                (.atLeast(8), false, "7 entries match, expected at least 8"),
                (.atMost(7), true, "7 entries match, expected at most 7"),
                (.atMost(6), false, "7 entries match, expected at most 6"),
            ]
            for (bound, holds, words) in cases {
                let verdict = try await verify(placed, bound, fixture)
                #expect(verdict.holds == holds)
                #expect(verdict.explanation == words)
                #expect(verdict.found == 7)
                #expect(verdict.examples.count == 5)
            }
            let none = try await verify(BrokerJournalMatcher(operation: .getOrder), .exactly(0), fixture)
            #expect(none.holds && none.examples.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1))) func orderIsVerified() async throws {
        try await BrokerFixture.run(scratch) { fixture async throws in
            _ = try await fixture.place("order-1")
            _ = try await fixture.place("order-2")
            func requested(_ id: String) -> BrokerJournalMatcher {
                BrokerJournalMatcher(clientOrderID: id, kind: .request)
            }
            func answered(_ id: String) -> BrokerJournalMatcher { BrokerJournalMatcher(clientOrderID: id, code: 0) }
            func verify(_ matchers: [BrokerJournalMatcher]) async throws -> BrokerVerifyResponse {
                try await fixture.control.verify(
                    BrokerVerifyRequest(expectation: .order(BrokerOrderExpectation(matchers: matchers))))
            }
            let right = try await verify([requested("order-1"), answered("order-1"), answered("order-2")])
            #expect(right.holds && right.found == 3 && right.examples.map(\.sequence) == [1, 2, 4])
            let wrong = try await verify([answered("order-1"), requested("order-2"), requested("order-1")])
            #expect(!wrong.holds && wrong.found == 2)
            #expect(wrong.explanation == "number 3 of 3 was not found after entry 3")
            let never = try await verify([answered("order-9"), requested("order-1")])
            #expect(never.explanation == "number 1 of 2 was not found")
            let one = await status { try await verify([requested("order-1")]) }
            #expect(one.flatMap { WireErrorDetail($0) }?.context["field"] == "order.matchers")
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatMemoryHasForgottenIsNotJudged() async throws {
        try await BrokerFixture.run(scratch, .with { $0.journalLimit = 4 }) { fixture async throws in
            // Two entries each: those of the first three are forgotten.
            for number in 1...5 { _ = try await fixture.place("order-\(number)") }
            let placed = BrokerJournalMatcher(operation: .placeOrder, kind: .request)
            // Certain whatever was forgotten.
            #expect(try await verify(placed, .atLeast(2), fixture).holds)
            #expect(try await verify(placed, .atMost(1), fixture).holds == false)
            #expect(try await verify(placed, .exactly(1), fixture).holds == false)
            for bound: BrokerCountExpectation.Bound in [.exactly(5), .exactly(2), .atLeast(3), .atMost(2)] {
                let refused = await status { try await verify(placed, bound, fixture) }
                #expect(refused?.code == .failedPrecondition)
                #expect(refused?.reason == "JOURNAL_FORGOTTEN")
                #expect(refused.flatMap { WireErrorDetail($0) }?.context == ["forgotten": "6", "found": "2"])
            }
            #expect(try await query(nil, fixture).map(\.sequence) == [7, 8, 9, 10])
            let late = await status { try await query(after: 3, fixture) }
            #expect(late?.reason == "JOURNAL_FORGOTTEN")
            #expect(try await query(after: 6, fixture).count == 4)
        }
    }
}

extension BrokerRule {
    /// Commits, and says UNAVAILABLE, at the first attempt.
    fileprivate static func unavailable(_ id: String, order: String) -> BrokerRule {
        BrokerRule(
            ruleID: id, when: BrokerSelector(operations: [.placeOrder], clientOrderID: order, toAttempt: 1),
            at: .afterCommitBeforeReply,
            action: .rpc(BrokerRpcFault(fault: .status(BrokerStatusFault(code: 14, message: "lost")))))
    }
}
