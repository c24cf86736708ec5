import Contracts
import Domain
import Postgres
import Testing

@testable import FXSaga

extension Stack {
    /// What must hold when everything has come to rest (invariants I1, I3, I5, I8, I9, I10, I12 of the books).
    func expectBooksInOrder(
        openingWon: Int64 = 10_000_000, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let requests = try await postgres.query(
            sql: """
                SELECT exchange_id, sell_minor, buy_minor,
                    (SELECT string_agg(state, ',' ORDER BY seq) FROM exchange_state_log l
                        WHERE l.exchange_id = r.exchange_id),
                    (SELECT bool_and(ordered) FROM (
                        SELECT epoch >= lag(epoch, 1, 0::bigint) OVER (ORDER BY seq) AS ordered
                        FROM exchange_state_log l WHERE l.exchange_id = r.exchange_id) AS epochs)
                FROM exchange_request r
                """
        ) { row in
            (
                id: try row.string(0), sell: try row.int64(1), buy: try row.int64(2), path: try row.string(3),
                isOrdered: try row.bool(4)
            )
        }
        var won = openingWon
        var cents: Int64 = 0
        for request in requests {
            let withdrawn = krw.entries("\(request.id)/withdraw")
            let deposited = usd.entries("\(request.id)/deposit")
            #expect(request.isOrdered, "epochs of \(request.id)", sourceLocation: sourceLocation)
            let states = try request.path.split(separator: ",").map { try ExchangeState(stored: String($0)) }
            #expect(
                throws: Never.self, "\(request.id): \(request.path)", sourceLocation: sourceLocation
            ) { try ExchangeSaga(id: try ExchangeID(request.id), log: states, checks: 0) }
            switch states.last {
            case .completed:
                #expect(withdrawn == [-request.sell], "\(request.id)", sourceLocation: sourceLocation)
                #expect(deposited == [request.buy], "\(request.id)", sourceLocation: sourceLocation)
                won -= request.sell
                cents += request.buy
            case .failed:
                #expect(withdrawn.isEmpty && deposited.isEmpty, "\(request.id)", sourceLocation: sourceLocation)
            case .cancelled:
                #expect(
                    withdrawn == [-request.sell, request.sell], "\(request.id)", sourceLocation: sourceLocation)
                #expect(deposited.isEmpty, "\(request.id)", sourceLocation: sourceLocation)
                let outcome = usd.outcome("\(request.id)/deposit")
                #expect(outcome == .refused || outcome == .sealed, "\(request.id)", sourceLocation: sourceLocation)
            default: Issue.record("\(request.id) has not ended: \(request.path)", sourceLocation: sourceLocation)
            }
        }
        #expect(krw.balance("kim-krw") == won, sourceLocation: sourceLocation)
        #expect(usd.balance("kim-usd") == cents, sourceLocation: sourceLocation)
        #expect(
            try await count(
                """
                SELECT count(*) FROM limit_usage u WHERE in_progress_minor <> 0 OR done_minor <> (
                    SELECT coalesce(sum(amount_minor), 0) FROM limit_reservation r
                    WHERE r.customer_id = u.customer_id AND r.seoul_date = u.seoul_date AND r.state = 'DONE')
                """) == 0, sourceLocation: sourceLocation)
        #expect(
            try await count("SELECT count(*) FROM exchange_lease WHERE is_open OR owner IS NOT NULL") == 0,
            sourceLocation: sourceLocation)
        #expect(try await count("SELECT count(*) FROM exchange_due") == 0, sourceLocation: sourceLocation)
    }
}
