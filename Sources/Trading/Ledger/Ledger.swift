import Contracts
import Domain
import Limits
import Logging
import Postgres
import ServiceKit

/// The one way to change the ledger: rows are locked and read, a pure change is worked out, and everything it does is
/// written with the commit, in two or three round trips.
final class Ledger: Sendable {
    /// How often a change is worked out again after it lost a race to another process.
    private static let attempts = 5

    let configuration: TradingConfiguration
    let environment: ServiceEnvironment
    let postgres: PostgresClient
    let capabilities: CapabilityStore
    let wakeUps: WakeUps
    private let lostRaces: Counter
    private let alertCount: Counter
    private let events: EventCounters

    init(
        configuration: TradingConfiguration, environment: ServiceEnvironment, postgres: PostgresClient,
        capabilities: CapabilityStore, wakeUps: WakeUps
    ) {
        self.configuration = configuration
        self.environment = environment
        self.postgres = postgres
        self.capabilities = capabilities
        self.wakeUps = wakeUps
        lostRaces = environment.metrics.counter(
            "meridian_trading_lost_updates_total", help: "Changes that only the version check saved.")
        alertCount = environment.metrics.counter(
            "meridian_trading_alerts_total", help: "Things that a person has to look at.")
        events = EventCounters(environment.metrics)
    }

    // MARK: Reading

    /// An order by our id, with its executions; nil when there is none such.
    func order(_ id: OrderID) async throws -> LedgerOrder? {
        let (orders, executions) = try await postgres.pipeline { pipeline in
            (pipeline.query(OrderByID(id: id)), pipeline.query(ExecutionsOfOrders(orders: [id])))
        }
        return try orders.get().first?.order(booking: executions.get())
    }

    /// An order by the customer's id of it.
    func order(_ clientOrder: ClientOrderID, of customer: CustomerID) async throws -> LedgerOrder? {
        let statement = OrderByClientOrderID(customer: customer, clientOrder: clientOrder)
        guard let stored = try await postgres.queryOne(statement) else { return nil }
        return try await records(of: [stored]).first
    }

    /// A page of orders, newest first: a customer's, or everybody's for nil.
    func orders(of customer: CustomerID?, before: OrderID?, limit: Int) async throws -> [LedgerOrder] {
        guard let customer else {
            return try await records(of: try await postgres.query(OrdersOfAll(before: before, limit: limit)))
        }
        return try await records(
            of: try await postgres.query(OrdersOfCustomer(customer: customer, before: before, limit: limit)))
    }

    private func records(of stored: [StoredOrder]) async throws -> [LedgerOrder] {
        let withReports = stored.filter { $0.executionReports > 0 }.map(\.id)
        guard !withReports.isEmpty else { return try stored.map { try $0.order(booking: []) } }
        let reports = Dictionary(
            grouping: try await postgres.query(ExecutionsOfOrders(orders: withReports)), by: \.order)
        return try stored.map { try $0.order(booking: reports[$0.id] ?? []) }
    }

    // MARK: Changing

    /// Writes a new order with its first events and its work.
    ///
    /// - Returns: the order as written; nil when the customer's id of it is taken, and nothing was written.
    /// - Parameters:
    ///   - prepare: what happens before it is written. Throws to write nothing.
    ///   - decide: what happens under the lock of its position, in the same transaction.
    func insert(
        _ record: LedgerOrder, prepare: @Sendable (inout LedgerChange) throws -> Void,
        decide: (@Sendable (inout LedgerChange) throws -> Void)? = nil
    ) async throws -> LedgerOrder? {
        var attempt = 1
        while true {
            do {
                return try await insertOnce(record, prepare, decide)
            } catch let error as PostgresError where attempt < Self.attempts && Self.isLostRace(error) {
                lostRaces.increment()
                attempt += 1
            }
        }
    }

    private func insertOnce(
        _ record: LedgerOrder, _ prepare: @Sendable (inout LedgerChange) throws -> Void,
        _ decide: (@Sendable (inout LedgerChange) throws -> Void)?
    ) async throws -> LedgerOrder? {
        var change = newChange()
        change.addNew(record)
        try prepare(&change)
        do {
            try await postgres.withTransaction { transaction in
                guard let decide else {
                    try await transaction.pipeline(thenCommit: true) { pipeline in
                        pipeline.execute(InsertOrder(record: change[record.id]))
                        write(change, in: &pipeline)
                    }
                    return
                }
                let positions = try await transaction.pipeline { pipeline in
                    pipeline.execute(InsertOrder(record: change[record.id]))
                    return pipeline.query(LockPositionsOfOrders(orders: [record.id]))
                }
                change.wasInserted(record.id)
                for position in try positions.get() { change.add(position) }
                try decide(&change)
                try await transaction.pipeline(thenCommit: true) { write(change, in: &$0) }
            }
        } catch let error as PostgresError where error.isUniqueViolation(of: InsertOrder.key) {
            return nil
        }
        announce(change)
        return change[record.id]
    }

    /// Changes orders under lock.
    ///
    /// - Parameter body: works the change out; called again when the change lost a race, so it must have no effects of
    ///   its own. What it throws undoes everything.
    func change<Result: Sendable>(
        _ ids: [OrderID], _ body: @Sendable (inout LedgerChange) throws -> Result
    ) async throws -> Result {
        let result = try await changing(ids, claim: nil) { change, _ in try body(&change) }
        guard let result else { preconditionFailure("a change without a claim cannot lose it") }
        return result
    }

    /// Changes an order as the end of a piece of work, which is done by it.
    ///
    /// - Returns: what `body` returned; nil when the work was lost to another, and nothing was changed.
    func finish<Result: Sendable>(
        _ claim: ClaimedWork, _ body: @Sendable (inout LedgerChange) throws -> Result
    ) async throws -> Result? {
        try await changing([claim.item.order], claim: claim) { change, _ in
            change.remove(work: claim.item.key)
            return try body(&change)
        }
    }

    /// Changes an order while a piece of work goes on; nil when the work was lost to another, and nothing was changed.
    func proceed<Result: Sendable>(
        _ claim: ClaimedWork, _ body: @Sendable (inout LedgerChange) throws -> Result
    ) async throws -> Result? {
        try await changing([claim.item.order], claim: claim) { change, _ in try body(&change) }
    }

    /// The general form: with reads and statements of the caller's own in the same transaction.
    ///
    /// - Parameter also: writes what `body` returned; nothing when it returned nil.
    func changing<Result: Sendable>(
        _ ids: [OrderID], claim: ClaimedWork?,
        also extra: (@Sendable (inout Pipeline, Result) -> Void)? = nil,
        _ body: @Sendable (inout LedgerChange, PostgresTransaction) async throws -> Result
    ) async throws -> Result? {
        var attempt = 1
        while true {
            do {
                return try await changeOnce(ids, claim, extra, body)
            } catch let error as PostgresError where attempt < Self.attempts && Self.isLostRace(error) {
                lostRaces.increment()
                attempt += 1
            }
        }
    }

    private func changeOnce<Result: Sendable>(
        _ ids: [OrderID], _ claim: ClaimedWork?, _ extra: (@Sendable (inout Pipeline, Result) -> Void)?,
        _ body: @Sendable (inout LedgerChange, PostgresTransaction) async throws -> Result
    ) async throws -> Result? {
        var change = newChange()
        let result: Result? = try await postgres.withTransaction { transaction in
            // Always orders first, then work, then positions: one fixed order, so that nobody waits in a circle.
            let (orders, held, executions, positions) = try await transaction.pipeline { pipeline in
                (
                    pipeline.query(LockOrders(ids: ids)),
                    claim.map { pipeline.queryOne(HoldClaim(key: $0.item.key, claim: $0.claim)) },
                    pipeline.query(ExecutionsOfOrders(orders: ids)),
                    pipeline.query(LockPositionsOfOrders(orders: ids))
                )
            }
            if let held, try held.get() == nil { return nil }
            let reports = Dictionary(grouping: try executions.get(), by: \.order)
            for order in try orders.get() { change.add(try order.order(booking: reports[order.id] ?? [])) }
            for position in try positions.get() { change.add(position) }
            let result = try await body(&change, transaction)
            try await transaction.pipeline(thenCommit: true) { pipeline in
                write(change, in: &pipeline)
                extra?(&pipeline, result)
            }
            return result
        }
        if result != nil { announce(change) }
        return result
    }

    private func newChange() -> LedgerChange {
        LedgerChange(
            at: environment.now(), overdueAfter: configuration.overdueAfter, rules: { [self] in rules(for: $0) })
    }

    /// The circumstances in which the requests of an order travel.
    func rules(for record: LedgerOrder) -> DispatchRules {
        DispatchRules(
            policy: configuration.policy, broker: capabilities.current, sessionEndsAt: record.sessionEndsAt,
            isHalted: configuration.engagedSwitches.contains { $0.stops(record.terms, broker: record.broker) })
    }

    /// Lists the statements that write `change`. The unique (order, version) of the events is what lets only one writer
    /// have each version: a writer that read an older one fails there, and everything it did is undone.
    private func write(_ change: LedgerChange, in pipeline: inout Pipeline) {
        precondition(change.events.count <= LedgerChange.maximumEvents, "a transaction records too many events")
        for (id, before) in change.versionsBefore.sorted(by: { $0.key < $1.key }) {
            let record = change[id]
            guard record.version != before else { continue }
            pipeline.execute(UpdateOrder(record: record, versionBefore: before))
        }
        if !change.events.isEmpty { pipeline.execute(InsertOrderEvents(events: change.events)) }
        if !change.executions.isEmpty {
            pipeline.execute(InsertExecutions(executions: change.executions, appliedAt: change.at))
        }
        for key in change.changedPositions.sorted() {
            guard let position = change.positions[key] else { continue }
            pipeline.execute(PutPosition(position: position, updatedAt: change.at))
        }
        let removed = change.work.filter { $0.value == nil }.keys.sorted()
        if !removed.isEmpty { pipeline.execute(RemoveWork(keys: removed)) }
        let scheduled = change.work.values.compactMap(\.self).sorted { $0.key < $1.key }
        if !scheduled.isEmpty { pipeline.execute(PutWork(items: scheduled)) }
    }

    private static func isLostRace(_ error: PostgresError) -> Bool {
        error.isLostRace || error.isUniqueViolation(of: "order_event_pkey")
            || error.constraint == "position_has_one_writer"
    }

    // MARK: Start

    /// Makes what an earlier process of this name had due at once. Returns when that is done, however long the database
    /// is away, or when the task is cancelled.
    func endOwnLeases() async {
        while !Task.isCancelled {
            do {
                let count = try await postgres.execute(
                    EndOwnLeases(holder: configuration.instance, now: environment.now()))
                if count > 0 { environment.log.notice("work.taken_over", metadata: ["items": "\(count)"]) }
                return
            } catch {
                guard !Task.isCancelled else { return }
                environment.log.warning("work.take_over_failed", metadata: ["error": "\(error)"])
            }
            // Ends early by cancellation only, which the loop looks at.
            try? await Task.sleep(for: configuration.pollInterval)
        }
    }

    // MARK: After the commit

    private func announce(_ change: LedgerChange) {
        for event in change.events {
            let record = event.after
            events.increment(event.kind)
            Self.tracing(record) {
                environment.log.info(
                    "\(Self.logName(of: event.kind))",
                    metadata: [
                        "order_id": "\(record.id)", "client_order_id": "\(record.terms.clientOrder)",
                        "version": "\(record.version)", "ord_status": "\(record.order.status.rawValue)",
                        "cum_qty": "\(record.order.cumQuantity)", "attempt": "\(record.order.submission.attempts)",
                        "detail": "\(event.detail)",
                    ])
            }
        }
        for alert in change.alerts {
            alertCount.increment()
            Self.tracing(change[alert.order]) {
                environment.log.error(
                    "alert.raised", metadata: ["order_id": "\(alert.order)", "what": "\(alert.what)"])
            }
        }
        if !change.events.isEmpty { wakeUps.updates.wake() }
        for lane in Set(change.work.values.compactMap { $0?.kind.lane }) { wakeUps.wake(lane) }
    }

    /// Under the trace in which the order came, whoever brings the news: a broker's feed may know no trace of ours.
    private static func tracing(_ record: LedgerOrder, _ body: () -> Void) {
        TraceContext.$current.withValue(TraceContext(traceparent: record.traceparent) ?? .current, operation: body)
    }

    /// `order.` and the kind in lower case, for example `order.attempt_sending`.
    private static func logName(of kind: String) -> String { "order.\(kind.lowercased())" }
}

/// What sleeps until the ledger changes.
final class WakeUps: Sendable {
    let broker = WakeUp()
    let account = WakeUp()
    let updates = WakeUp()

    func wake(_ lane: WorkItem.Lane) {
        switch lane {
        case .broker: broker.wake()
        case .account: account.wake()
        }
    }
}
