import Contracts
import Domain

/// Compares broker, receiver, trading and accounts with each other: pure, on books read at a moment of rest.
enum Auditor {
    static func check(_ books: Books) -> [AuditCheck] {
        [
            oneBrokerOrderEach(books), statesAgree(books), nothingUnfinished(books), executionsStored(books),
            feedComplete(books), quantitiesDerived(books), positionsAgree(books), holdsResolved(books),
            postingsBalance(books), exchangesPaired(books),
        ]
    }

    private static func check<Subjects: Collection>(
        _ name: String, _ subjects: Subjects, _ violation: (Subjects.Element) -> String?
    ) -> AuditCheck {
        AuditCheck(name: name, checked: subjects.count, violations: subjects.compactMap(violation))
    }

    // MARK: Orders

    static func oneBrokerOrderEach(_ books: Books) -> AuditCheck {
        let atBroker = Dictionary(grouping: books.truth.orders, by: \.clientOrderID)
        let ours = Set(books.orders.map(\.orderID))
        var violations: [String] = []
        for (id, orders) in atBroker.sorted(by: { $0.key < $1.key }) {
            if orders.count > 1 { violations.append("\(id): the broker knows \(orders.count) orders") }
            if !ours.contains(id) { violations.append("\(id): the broker has it and trading does not") }
        }
        for order in books.orders {
            let isThere = atBroker[order.orderID] != nil
            switch order.ordStatus {
            case .new, .partiallyFilled, .filled:
                if !isThere {
                    violations.append("\(order.orderID): \(order.ordStatus), and the broker does not have it")
                }
            case .denied:
                if isThere { violations.append("\(order.orderID): denied, and the broker has it") }
            default: break
            }
        }
        return AuditCheck(
            name: "one broker order for each order of ours, and none besides", checked: books.orders.count,
            violations: violations)
    }

    static func statesAgree(_ books: Books) -> AuditCheck {
        let atBroker = Dictionary(books.truth.orders.map { ($0.clientOrderID, $0) }) { first, _ in first }
        return check("status and filled quantity agree with the broker", books.orders) { order in
            guard let truth = atBroker[order.orderID] else { return nil }
            guard quantity(truth.cumQty) == quantity(order.cumQty) else {
                return "\(order.orderID): filled \(quantity(order.cumQty)), at the broker \(quantity(truth.cumQty))"
            }
            return truth.ordStatus == order.ordStatus
                ? nil : "\(order.orderID): \(order.ordStatus), at the broker \(truth.ordStatus)"
        }
    }

    static func nothingUnfinished(_ books: Books) -> AuditCheck {
        check("no order waits for an answer or for a person", books.orders) { order in
            switch order.ordStatus {
            case .unconfirmed, .needsReview, .pendingNew, .pendingCancel: "\(order.orderID): \(order.ordStatus)"
            default: nil
            }
        }
    }

    // MARK: Executions

    static func executionsStored(_ books: Books) -> AuditCheck {
        let stored = Dictionary(books.stored.map { ($0.report?.execID ?? "", $0) }) { first, _ in first }
        var violations = stored.count == books.stored.count ? [] : ["an execution is stored twice"]
        var known: Set<String> = []
        for var report in books.truth.reports.compactMap(\.report) {
            report.traceparent = ""  // No content; the receiver keeps it beside the report.
            known.insert(report.execID)
            guard let copy = stored[report.execID] else {
                violations.append("\(report.execID): the receiver does not have it")
                continue
            }
            if copy.report != report { violations.append("\(report.execID): stored with other content") }
            if !copy.published { violations.append("\(report.execID): not published") }
        }
        violations += stored.keys.filter { !known.contains($0) }.map { "\($0): the broker does not know it" }
        return AuditCheck(
            name: "every execution of the broker is stored once, unchanged, and published",
            checked: books.truth.reports.count, violations: violations)
    }

    static func feedComplete(_ books: Books) -> AuditCheck {
        check("the receiver has read each feed to its end", books.highWater) { feed in
            let isComplete = feed.storedSequence == feed.brokerSequence && feed.unpublished == 0
            return isComplete
                ? nil
                : "\(feed.brokerID): stored \(feed.storedSequence) of \(feed.brokerSequence), "
                    + "\(feed.unpublished) unpublished"
        }
    }

    static func quantitiesDerived(_ books: Books) -> AuditCheck {
        var filled: [String: Int64] = [:]
        for report in books.truth.reports.compactMap(\.report) where report.execType == .trade {
            filled[report.clientOrderID, default: 0] += quantity(report.lastQty)
        }
        return check("filled quantity = the sum of the executions", books.orders) { order in
            let sum = filled[order.orderID] ?? 0
            return quantity(order.cumQty) == sum
                ? nil : "\(order.orderID): \(quantity(order.cumQty)), executions \(sum)"
        }
    }

    static func positionsAgree(_ books: Books) -> AuditCheck {
        var ours: [String: Int64] = [:]
        for position in books.positions { ours[position.symbol, default: 0] += quantity(position.qty) }
        var theirs: [String: Int64] = [:]
        for position in books.truth.positions { theirs[position.symbol, default: 0] += quantity(position.qty) }
        return check("positions = the broker's positions", Set(ours.keys).union(theirs.keys).sorted()) { symbol in
            let (here, there) = (ours[symbol] ?? 0, theirs[symbol] ?? 0)
            return here == there ? nil : "\(symbol): \(here) nano-shares, at the broker \(there)"
        }
    }

    // MARK: Money

    static func holdsResolved(_ books: Books) -> AuditCheck {
        let buys = books.orders.filter { $0.side == .buy && $0.ordStatus != .denied }
        return check("every hold is captured or released, and none outlives its order", buys) { order in
            guard let hold = books.holds[order.orderID] else { return "\(order.orderID): there is no hold" }
            let amount = hold.amount?.minor ?? 0
            let captured = hold.captured?.minor ?? 0
            let released = hold.released?.minor ?? 0
            let remaining = hold.remaining?.minor ?? 0
            guard amount == captured + released + remaining else {
                return "\(order.orderID): \(amount) ≠ \(captured) + \(released) + \(remaining)"
            }
            switch order.ordStatus {
            case .filled, .canceled, .rejected, .expired:
                let isResolved = remaining == 0 && hold.state == .closed
                return isResolved ? nil : "\(order.orderID): closed, and \(remaining) still held"
            default: return nil
            }
        }
    }

    static func postingsBalance(_ books: Books) -> AuditCheck {
        let lines = books.trialBalances.flatMap { ledger, balance in balance.lines.map { (ledger, $0) } }
        let violations = lines.compactMap { ledger, line in
            line.sumOfEntries == 0 && line.accountsOutOfStep == 0 && line.holdsOutOfStep == 0
                ? nil
                : "\(ledger.rawValue) \(line.currency): entries sum to \(line.sumOfEntries), "
                    + "\(line.accountsOutOfStep) accounts and \(line.holdsOutOfStep) holds out of step"
        }
        return AuditCheck(
            name: "every posting sums to zero, every balance is the sum of its entries",
            checked: lines.reduce(0) { $0 + Int($1.1.entries) }, violations: violations)
    }

    static func exchangesPaired(_ books: Books) -> AuditCheck {
        check("each exchange is done, failed or given back, with both legs or none", books.exchanges) { exchange in
            let withdraw = books.operations["\(exchange.exchangeID)/withdraw"]?.outcome
            let deposit = books.operations["\(exchange.exchangeID)/deposit"]?.outcome
            let fits =
                switch exchange.state {
                case .completed: withdraw == .applied && deposit == .applied
                case .failed, .cancelled: withdraw != .applied && deposit != .applied
                default: false
                }
            return fits
                ? nil
                : "\(exchange.exchangeID): \(exchange.state), withdrawal \(withdraw.map { "\($0)" } ?? "none"), "
                    + "deposit \(deposit.map { "\($0)" } ?? "none")"
        }
    }

    /// Nano-shares; a quantity that is missing counts as none.
    private static func quantity(_ decimal: WireDecimal?) -> Int64 {
        guard let decimal, let quantity = try? Quantity(decimal, field: "quantity") else { return 0 }
        return quantity.unscaled
    }
}
