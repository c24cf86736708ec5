import Contracts
import Domain
import Postgres
import Testing

@testable import Trading

extension World {
    /// What must hold when nothing is left to do, whatever has happened: the invariants of the ledger, the broker and
    /// the accounts.
    func checkInvariants(_ location: SourceLocation = #_sourceLocation) async throws {
        try await checkEvents(location)
        try await checkOrders(location)
        try await checkPositions(location)
        checkAttempts(location)
    }

    /// Versions go up by one, one event each; the last event is the order; positions in the stream are distinct.
    private func checkEvents(_ location: SourceLocation) async throws {
        let broken = try await postgres.query(
            sql: """
                select o.order_id from customer_order o join order_event e using (order_id)
                group by o.order_id, o.version, o.ord_status
                having count(*) <> o.version or max(e.version) <> o.version or min(e.version) <> 1
                    or (array_agg(e.ord_status order by e.version desc))[1] <> o.ord_status
                """
        ) { row in try row.string(0) }
        #expect(broken.isEmpty, "orders whose story and state differ: \(broken)", sourceLocation: location)
    }

    /// Quantities are the sums of executions; money held is captured or released; one broker order for each.
    private func checkOrders(_ location: SourceLocation) async throws {
        var token = ""
        repeat {
            let page = try await client.listOrders(.init(customerID: Self.customer, pageSize: 500, pageToken: token))
            for order in page.orders { try check(order, location) }
            token = page.nextPageToken
        } while !token.isEmpty
        let sums = try await postgres.query(
            sql: """
                select o.order_id from customer_order o
                left join execution_applied e on e.order_id = o.order_id and e.kind <> 'BUST'
                    and not exists (
                        select from execution_applied v
                        where v.broker_id = e.broker_id and v.exec_ref_id = e.exec_id)
                group by o.order_id having coalesce(sum(e.qty), 0) <> o.cum_qty
                """
        ) { row in try row.string(0) }
        #expect(sums.isEmpty, "orders that differ from their executions: \(sums)", sourceLocation: location)
    }

    private func check(_ order: TradingOrder, _ location: SourceLocation) throws {
        let truth = money.truth
        let isOver = [.filled, .canceled, .rejected, .expired, .denied].contains(order.ordStatus)
        let hold = truth.holds[order.orderID]
        if let hold {
            #expect(hold.remaining >= 0, sourceLocation: location)
            if isOver { #expect(hold.remaining == 0, "\(order.orderID)", sourceLocation: location) }
        }
        let atBroker = gateway.orders[order.orderID]
        switch order.ordStatus {
        case .denied, .rejected: #expect(atBroker == nil, sourceLocation: location)
        case .filled, .new, .partiallyFilled: #expect(atBroker != nil, sourceLocation: location)
        default: break
        }
        if isOver { #expect(order.leavesQty?.unscaled == 0, sourceLocation: location) }
    }

    /// Positions are the signed executions.
    private func checkPositions(_ location: SourceLocation) async throws {
        let broken = try await postgres.query(
            sql: """
                with live as (
                    select o.account_id, o.symbol, case o.side when 'BUY' then e.qty else -e.qty end as qty
                    from execution_applied e join customer_order o using (order_id)
                    where e.kind <> 'BUST' and not exists (
                        select from execution_applied v
                        where v.broker_id = e.broker_id and v.exec_ref_id = e.exec_id)
                )
                select p.account_id from position p
                left join live l on l.account_id = p.account_id and l.symbol = p.symbol
                group by p.account_id, p.symbol, p.qty having coalesce(sum(l.qty), 0) <> p.qty
                """
        ) { row in try row.string(0) }
        #expect(broken.isEmpty, "positions that differ from their executions: \(broken)", sourceLocation: location)
    }

    /// Attempts of an order carry one content, and each number is used once.
    private func checkAttempts(_ location: SourceLocation) {
        for (id, attempts) in Dictionary(grouping: gateway.attempts, by: \.order.clientOrderID) {
            #expect(Set(attempts.map(\.order)).count == 1, "\(id)", sourceLocation: location)
            #expect(Set(attempts.map(\.number)).count == attempts.count, "\(id)", sourceLocation: location)
        }
    }
}
