import Contracts
import Postgres
import Testing

@testable import meridian

extension StackTests {
    struct LostReplyTests {
        /// The broker commits the order and its answer is lost: the same id goes again, the broker keeps one order, and
        /// the journal of attempts says how each of them ended, although the first one's caller had given up.
        @Test(.timeLimit(.minutes(2))) func aLostReplyLeavesOneOrderAndAWholeJournal() async throws {
            let settings = [
                ServiceName.trading: [
                    "MERIDIAN_SUBMIT_DEADLINE_MS": "500", "MERIDIAN_FIRST_RESEND_MS": "200",
                    "MERIDIAN_ASKS_BEFORE_RESENDING": "false",
                ]
            ]
            try await TestStack.run(settings: settings) { stack in
                // The feed is slow, or its word that the order works would make the second attempt needless.
                try await stack.setBroker(
                    BrokerBehavior(seed: 1, fillMode: .manual),
                    [.loseReplies(attempts: 1...1), .slowDelivery("feed", .fixed(.milliseconds(2500)))])
                // Before it knows that the broker bears repetition, trading would ask and not send again.
                let logs = Logs(folder: stack.stack.folder)
                while try !logs.events(of: .trading).contains(where: { $0.name == "broker.capabilities_learned" }) {
                    try await stack.pause()
                }
                let customer = try stack.customer("lost")
                try await stack.openAccounts(of: customer, won: 0, cents: 100_000)
                let placed = try await customer.place(try customer.request("lost"))
                let working = try await customer.follow(placed, until: [.new])
                #expect(working.ordStatus == .new)
                try await customer.cancel(working)
                #expect(try await customer.follow(working).ordStatus == .canceled)

                let books = try await stack.booksAtRest()
                for check in Auditor.check(books) { #expect(check.passed, "\(check.text)") }
                #expect(books.truth.orders.count == 1 && books.truth.placeAttempts == 2)
                let attempts = try await stack.query(AttemptOutcomes(), in: .brokerGateway)
                #expect(attempts == ["CANCEL 1 CONFIRMED", "NEW 1 UNKNOWN", "NEW 2 CONFIRMED"])
            }
        }
    }
}

/// The journal of attempts, sorted.
private struct AttemptOutcomes: Statement {
    static let sql = """
        SELECT format('%s %s %s', kind, attempt, coalesce(outcome, 'OPEN')) FROM attempt ORDER BY kind, attempt
        """
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> String { try row.string(0) }
}
