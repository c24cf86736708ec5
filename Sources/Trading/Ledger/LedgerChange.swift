import Domain

/// Everything that one transaction does to the ledger, worked out before any of it is written.
///
/// Pure: rows come in as they were read under lock, events are applied to them, and what has to be written comes out.
struct LedgerChange: Sendable {
    /// More would not fit the part of the sequence that numbers the events of one transaction.
    static let maximumEvents = 4096

    let at: UnixTime
    /// The circumstances in which the order's requests travel.
    let rules: @Sendable (LedgerOrder) -> DispatchRules
    /// How long executions that the broker counts may be missing.
    let overdueAfter: Duration

    private(set) var records: [OrderID: LedgerOrder] = [:]
    /// The version under which each order was read; missing for new ones.
    private(set) var versionsBefore: [OrderID: Int64] = [:]
    private(set) var positions: [PositionKey: SharePosition] = [:]
    private(set) var changedPositions: Set<PositionKey> = []
    private(set) var events: [RecordedEvent] = []
    private(set) var executions: [StoredExecution] = []
    /// By key; nil removes the item.
    private(set) var work: [String: WorkItem?] = [:]
    private(set) var alerts: [RaisedAlert] = []

    init(at: UnixTime, overdueAfter: Duration, rules: @escaping @Sendable (LedgerOrder) -> DispatchRules) {
        self.at = at
        self.overdueAfter = overdueAfter
        self.rules = rules
    }

    // MARK: What was read

    /// Takes in an order as it was read under lock.
    mutating func add(_ record: LedgerOrder) {
        records[record.id] = record
        versionsBefore[record.id] = record.version
    }

    /// Takes in an order that is new: it has no version before.
    mutating func addNew(_ record: LedgerOrder) { records[record.id] = record }

    /// A new order was written as it is now: what changes from here on is an update of it.
    mutating func wasInserted(_ id: OrderID) { versionsBefore[id] = self[id].version }

    /// Takes in a position as it was read under lock. One that was not read does not exist yet.
    mutating func add(_ position: SharePosition) { positions[position.key] = position }

    subscript(id: OrderID) -> LedgerOrder {
        guard let record = records[id] else { preconditionFailure("order \(id) was not read into this change") }
        return record
    }

    func contains(_ id: OrderID) -> Bool { records[id] != nil }

    // MARK: What happens

    /// Applies `event`, records it with `detail`, and works out what has to be done.
    ///
    /// An event that changes nothing, such as a fact told twice, records nothing.
    /// - Parameter kind: the name under which it is recorded, if not the event's own.
    /// - Returns: whether the order changed.
    /// - Throws: `InvalidTransition` or `PositionOverflow`. Throw the change away then.
    @discardableResult
    mutating func apply(_ event: OrderEvent, to id: OrderID, detail: String, kind: String? = nil) throws -> Bool {
        var record = self[id]
        let before = record.order
        let actions = try record.order.apply(event, rules: rules(record))
        let isChanged = record.order != before
        records[id] = record
        if isChanged { note(kind ?? event.name, detail, of: id) }
        for action in actions { try perform(action, for: id) }
        return isChanged
    }

    /// Books a report about executions.
    ///
    /// - Returns: false when its id was booked before; then nothing is booked, and content that differs is raised.
    /// - Throws: `InvalidTransition` when it cannot be booked, `PositionOverflow`. Throw the change away then.
    mutating func book(
        _ report: ReportedExecution, of id: OrderID, receiverSequence: Int64, detail: String
    ) throws -> Bool {
        let before = self[id]
        let stored = report.stored(
            broker: before.broker, order: id, ordinal: Int64(before.bookedReports.count) + 1,
            receiverSequence: receiverSequence)
        guard !before.bookedReports.contains(stored.id) else {
            try apply(stored.event, to: id, detail: detail)
            return false
        }
        executions.append(stored)
        update(id) { $0.bookedReports.insert(stored.id) }
        // A report without effect is booked too: the row counts it, and the story tells of it.
        if try !apply(stored.event, to: id, detail: detail) { note("REPORT_WITHOUT_EFFECT", detail, of: id) }
        return true
    }

    /// Records something that happened without a change of state, as evidence.
    mutating func note(_ kind: String, _ detail: String, of id: OrderID) {
        let at = at
        update(id) { record in
            record.version += 1
            record.updatedAt = at
        }
        events.append(RecordedEvent(kind: kind, detail: detail, at: at, after: self[id]))
    }

    /// Changes what belongs to the order outside its state machine. Follow it with an event, or it is not written.
    mutating func update(_ id: OrderID, _ body: (inout LedgerOrder) -> Void) {
        var record = self[id]
        body(&record)
        records[id] = record
    }

    /// Raises something that a person has to look at.
    mutating func alert(_ what: String, of id: OrderID) {
        alerts.append(RaisedAlert(order: id, what: what))
        note("ALERT", what, of: id)
    }

    /// Sets the shares of a sell order aside; false and no change when there are not enough.
    mutating func reserveShares(_ id: OrderID) -> Bool {
        let quantity = self[id].terms.quantity
        var position = position(of: id)
        guard position.reserve(quantity) else { return false }
        put(position)
        update(id) { $0.sharesHeld = quantity }
        return true
    }

    /// The position that the order changes, as it is now.
    func position(of id: OrderID) -> SharePosition {
        let terms = self[id].terms
        let key = PositionKey(account: terms.account, instrument: terms.instrument)
        return positions[key] ?? SharePosition(key, customer: terms.customer, currency: terms.currency)
    }

    /// Replaces or adds a work item.
    mutating func schedule(_ item: WorkItem) { work[item.key] = item }

    /// Schedules work that belongs to an order.
    mutating func schedule(
        _ kind: WorkItem.Kind, _ key: String, of id: OrderID, attempt: Int = 0, amount: Money? = nil,
        execution: ExecutionID? = nil, at due: UnixTime, holder: String? = nil
    ) {
        schedule(
            WorkItem(
                key: key, kind: kind, order: id, attempt: attempt, amount: amount, execution: execution, dueAt: due,
                traceparent: self[id].traceparent, holder: holder))
    }

    /// Removes a work item, unless one is scheduled under its key later on.
    mutating func remove(work key: String) { work[key] = .some(nil) }

    // MARK: What has to be done

    private mutating func perform(_ action: OrderAction, for id: OrderID) throws {
        switch action {
        case .placeHold, .notifyCustomer: break  // The driver of RECEIVED orders holds; every event is an update.
        case .dispatch(let attempt, let due), .resend(let attempt, let due):
            schedule(.submit, WorkItem.brokerKey(id), of: id, attempt: attempt, at: due)
        case .probe(let due): schedule(.probe, WorkItem.brokerKey(id), of: id, at: due)
        case .cancelPlannedStep: remove(work: WorkItem.brokerKey(id))
        case .requestCancel(let attempt, let due):
            schedule(.cancel, WorkItem.cancelKey(id), of: id, attempt: attempt, at: due)
        case .fetchExecutions:
            // The receiver finds and fetches what is missing by itself; here only its absence is noticed.
            schedule(.overdue, WorkItem.overdueKey(id), of: id, at: at + overdueAfter)
        case .captureHold(let amount, let execution, let key):
            schedule(.capture, key.text, of: id, amount: amount, execution: execution, at: at)
        case .credit(let amount, let execution, let key):
            schedule(.credit, key.text, of: id, amount: amount, execution: execution, at: at)
        case .debit(let amount, let execution, let key):
            schedule(.debit, key.text, of: id, amount: amount, execution: execution, at: at)
        case .releaseHold: release(id)
        case .bookPosition(let execution): try book(execution, of: id)
        case .reversePosition(let execution):
            var position = position(of: id)
            try position.reverse(self[id].terms.side, execution)
            put(position)
        case .alert(let alert): self.alert("\(alert)", of: id)
        }
    }

    private mutating func book(_ execution: Execution, of id: OrderID) throws {
        var position = position(of: id)
        try position.book(self[id].terms.side, execution)
        let taken = min(self[id].sharesHeld, execution.quantity)
        if taken.isPositive {
            position.release(taken)
            update(id) { $0.sharesHeld = Quantity(unscaled: $0.sharesHeld.unscaled - taken.unscaled) }
        }
        put(position)
    }

    private mutating func release(_ id: OrderID) {
        switch self[id].terms.side {
        case .buy: schedule(.release, id.releaseKey, of: id, at: at)
        case .sell:
            let rest = self[id].sharesHeld
            guard rest.isPositive else { return }
            var position = position(of: id)
            position.release(rest)
            put(position)
            update(id) { $0.sharesHeld = .zero }
            note("SHARES_RELEASED", "\(rest) \(self[id].terms.instrument)", of: id)
        }
    }

    private mutating func put(_ position: SharePosition) {
        positions[position.key] = position
        changedPositions.insert(position.key)
    }
}

/// One line of an order's story.
struct RecordedEvent: Sendable {
    let kind: String
    let detail: String
    let at: UnixTime
    /// The order after it; its version is the event's.
    let after: LedgerOrder
}

/// Something that a person has to look at.
struct RaisedAlert: Hashable, Sendable {
    let order: OrderID
    let what: String
}
