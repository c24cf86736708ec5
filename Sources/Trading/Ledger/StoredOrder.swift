import Domain
import Postgres

/// A row of `customer_order`. With the order's booked reports it becomes the order.
struct StoredOrder: Sendable {
    let id: OrderID
    private let terms: OrderTerms
    private let state: OrderRecord
    /// Reports about executions that the order counts.
    let executionReports: Int64
    private let fingerprint: String
    private let fundingAccount: AccountID?
    private let broker: BrokerID
    private let sessionEndsAt: UnixTime?
    private let reasonText: String
    private let isHoldDoubtful: Bool
    private let holdRemaining: Money?
    private let sharesHeld: Quantity
    private let exchange: FundingExchange?
    private let isFunded: Bool
    private let version: Int64
    private let traceparent: String
    private let createdAt: UnixTime
    private let updatedAt: UnixTime

    /// The order with its executions booked again, in the order in which they were booked first.
    ///
    /// - Parameter reports: at least as many as the order counts; younger ones, read after it, are left out.
    func order(booking reports: [StoredExecution]) throws -> LedgerOrder {
        guard Int64(reports.count) >= executionReports else {
            throw UnreadableRow(what: "order \(id) has \(executionReports) reports, \(reports.count) were found")
        }
        let booked = reports.prefix(Int(executionReports))
        let book = try ExecutionBook(currency: terms.currency, reports: booked.map(\.report))
        return LedgerOrder(
            order: try Order(id: id, terms: terms, record: state, executions: book), fingerprint: fingerprint,
            fundingAccount: fundingAccount, broker: broker, sessionEndsAt: sessionEndsAt, reasonText: reasonText,
            bookedReports: Set(booked.map(\.id)), isHoldDoubtful: isHoldDoubtful, holdRemaining: holdRemaining,
            sharesHeld: sharesHeld, exchange: exchange, isFunded: isFunded, version: version,
            traceparent: traceparent, createdAt: createdAt, updatedAt: updatedAt)
    }
}

extension StoredOrder {
    /// Reads the columns in the order in which every `select` of the service lists them.
    init(_ row: borrowing RowView) throws {
        id = try OrderID(row.string(0))
        guard let currency = Currency(code: try row.string(8)) else { throw UnreadableRow(what: "currency") }
        terms = try Self.terms(row, currency)
        fingerprint = try row.string(3)
        fundingAccount = try row.optionalString(5).map { try AccountID($0) }
        broker = try BrokerID(row.string(6))
        sessionEndsAt = try row.optionalInt64(14).map(UnixTime.init(nanoseconds:))
        reasonText = try row.string(19)
        executionReports = try row.int64(35)
        isHoldDoubtful = try row.bool(43)
        holdRemaining = try row.optionalInt64(44).map { Money(minorUnits: $0, currency: currency) }
        sharesHeld = Quantity(unscaled: try row.int64(45))
        if let exchangeID = try row.optionalString(46), let minorUnits = try row.optionalInt64(47) {
            let amount = Money(minorUnits: minorUnits, currency: currency)
            exchange = FundingExchange(id: try ExchangeID(exchangeID), amount: amount)
        } else {
            exchange = nil
        }
        isFunded = try row.bool(48)
        version = try row.int64(50)
        traceparent = try row.string(51)
        createdAt = UnixTime(nanoseconds: try row.int64(52))
        updatedAt = UnixTime(nanoseconds: try row.int64(53))
        state = OrderRecord(
            lifecycle: try row.string(15), closing: try row.optionalString(16), submission: try row.string(20),
            plannedStep: try row.optionalString(21),
            plannedAt: try row.optionalInt64(22).map(UnixTime.init(nanoseconds:)), attempts: Int(try row.int64(23)),
            unsentAttempts: Int(try row.int64(24)),
            firstSentAt: try row.optionalInt64(25).map(UnixTime.init(nanoseconds:)),
            lastSentAt: try row.optionalInt64(26).map(UnixTime.init(nanoseconds:)),
            unknownSince: try row.optionalInt64(27).map(UnixTime.init(nanoseconds:)), probes: Int(try row.int64(28)),
            misses: Int(try row.int64(29)), isSealed: try row.bool(30),
            brokerOrder: try row.optionalString(31).map { try BrokerOrderID($0) },
            cancellation: try row.string(32),
            cancelReason: try row.optionalString(34).map(ReasonCode.init(rawValue:)),
            cancelAttempts: Int(try row.int64(33)), brokerCumQuantity: Quantity(unscaled: try row.int64(38)),
            pendingClosing: try row.optionalString(39),
            pendingCumQuantity: try row.optionalInt64(40).map(Quantity.init(unscaled:)),
            holdAmount: try row.optionalInt64(41).map { Money(minorUnits: $0, currency: currency) },
            hold: try row.optionalString(42).map { try HoldID($0) },
            reason: try row.optionalString(18).map(ReasonCode.init(rawValue:)), needsReview: try row.bool(17),
            version: version)
    }

    private static func terms(_ row: borrowing RowView, _ currency: Currency) throws -> OrderTerms {
        guard let side = Side(rawValue: try row.string(9)), let name = OrderType.Name(rawValue: try row.string(10)),
            let time = TimeInForce(rawValue: try row.string(12))
        else { throw UnreadableRow(what: "terms") }
        let type: OrderType
        switch (name, try row.optionalInt64(11)) {
        case (.market, nil): type = .market
        case (.limit, .some(let price)): type = .limit(Price(unscaled: price))
        case (.market, .some), (.limit, nil): throw UnreadableRow(what: "price")
        }
        return OrderTerms(
            customer: try CustomerID(row.string(1)), account: try AccountID(row.string(4)),
            clientOrder: try ClientOrderID(row.string(2)), instrument: try InstrumentID(row.string(7)),
            currency: currency, side: side, type: type, timeInForce: time,
            quantity: Quantity(unscaled: try row.int64(13)))
    }
}

extension LedgerOrder {
    /// The columns that never change.
    var fixedColumns: [Parameter] {
        [
            .text(id.text), .text(terms.customer.text), .text(terms.clientOrder.text), .text(fingerprint),
            .text(terms.account.text), .text(fundingAccount?.text), .text(broker.text), .text(terms.instrument.text),
            .text(terms.currency.code), .text(terms.side.rawValue), .text(terms.type.name.rawValue),
            .int64(terms.type.limitPrice?.unscaled), .text(terms.timeInForce.rawValue),
            .int64(terms.quantity.unscaled), .int64(sessionEndsAt?.nanoseconds),
        ]
    }

    /// The columns of the state, `lifecycle` to `ord_status`.
    var stateColumns: [Parameter] {
        let state = OrderRecord(order)
        return [
            .text(state.lifecycle), .text(state.closing), .bool(state.needsReview), .text(state.reason?.rawValue),
            .text(reasonText), .text(state.submission), .text(state.plannedStep),
            .int64(state.plannedAt?.nanoseconds), .int64(Int64(state.attempts)), .int64(Int64(state.unsentAttempts)),
            .int64(state.firstSentAt?.nanoseconds), .int64(state.lastSentAt?.nanoseconds),
            .int64(state.unknownSince?.nanoseconds), .int64(Int64(state.probes)), .int64(Int64(state.misses)),
            .bool(state.isSealed), .text(state.brokerOrder?.text), .text(state.cancellation),
            .int64(Int64(state.cancelAttempts)), .text(state.cancelReason?.rawValue),
            .int64(Int64(bookedReports.count)), .int64(order.cumQuantity.unscaled),
            .int64(order.averagePrice?.unscaled), .int64(state.brokerCumQuantity.unscaled),
            .text(state.pendingClosing), .int64(state.pendingCumQuantity?.unscaled),
            .int64(state.holdAmount?.minorUnits), .text(state.hold?.text), .bool(isHoldDoubtful),
            .int64(holdRemaining?.minorUnits), .int64(sharesHeld.unscaled), .text(exchange?.id.text),
            .int64(exchange?.amount.minorUnits), .bool(isFunded), .text(order.status.rawValue),
        ]
    }
}
