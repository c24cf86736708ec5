import Contracts
import RPCCore
import Testing

/// Expects that `body` is refused with `reason`, and returns the refusal for a closer look.
@discardableResult
func expectRefusal(
    _ reason: String, _ code: Status.Code? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> some Any
) async -> Refusal? {
    do {
        let answer = try await body()
        Issue.record("expected \(reason), got \(answer)", sourceLocation: sourceLocation)
        return nil
    } catch let refusal as Refusal {
        #expect(refusal.reason == reason, sourceLocation: sourceLocation)
        if let code { #expect(refusal.code == code, sourceLocation: sourceLocation) }
        return refusal
    } catch {
        Issue.record("expected \(reason), got \(error)", sourceLocation: sourceLocation)
        return nil
    }
}

extension TestLedger {
    /// The invariants I1, I2 and I5 of the ledger: nothing out of step, nothing created, nothing overdrawn.
    func expectBooksInOrder(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for line in try await trialBalance() {
            #expect(line.sumOfEntries == 0, sourceLocation: sourceLocation)
            #expect(line.accountsOutOfStep == 0, sourceLocation: sourceLocation)
            #expect(line.holdsOutOfStep == 0, sourceLocation: sourceLocation)
            let customers = try await count(
                "SELECT coalesce(sum(balance), 0)::bigint FROM account WHERE currency = '\(line.currency)'")
            let internals = line.internalBalances.reduce(Int128(0)) { $0 + Int128($1.balance) }
            #expect(Int128(customers) + internals == 0, sourceLocation: sourceLocation)
        }
        let overdrawn = try await count("SELECT count(*) FROM account WHERE balance < held OR held < 0")
        #expect(overdrawn == 0, sourceLocation: sourceLocation)
        // A refused or sealed key has no posting, an applied one has one, a reversed one has its reversal too.
        let unexplained = try await count(
            """
            SELECT count(*) FROM (
                SELECT o.outcome, count(j.id) FILTER (WHERE j.kind = 'APPLY') AS applied,
                       count(j.id) FILTER (WHERE j.kind = 'REVERSE') AS reversed
                  FROM money_operation o LEFT JOIN journal j ON j.operation_key = o.key GROUP BY o.key) AS k
             WHERE (applied::int, reversed::int) <> CASE outcome WHEN 'APPLIED' THEN (1, 0) WHEN 'REVERSED' THEN (1, 1)
                                          ELSE (0, 0) END
            """)
        #expect(unexplained == 0, sourceLocation: sourceLocation)
    }
}
