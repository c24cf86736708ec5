import Contracts
import Domain

/// What a report of a broker's feed means for the order.
enum ReportMeaning: Hashable, Sendable {
    /// Executions are booked, voided or replaced.
    case booking(ReportedExecution)
    /// Something else happened to the order.
    case state(OrderEvent)
}

/// A trade, a bust or a correction as reported, not yet given its place among the order's reports.
struct ReportedExecution: Hashable, Sendable {
    let execution: BrokerExecutionID
    let kind: StoredExecution.Kind
    let reference: BrokerExecutionID?
    let quantity: Quantity
    let price: Price
    let fee: Money
    let brokerCumQuantity: Quantity?
    let tradeDate: String
    let transactTime: UnixTime

    func stored(broker: BrokerID, order: OrderID, ordinal: Int64, receiverSequence: Int64) -> StoredExecution {
        StoredExecution(
            broker: broker, execution: execution, order: order, ordinal: ordinal, kind: kind, reference: reference,
            quantity: quantity, price: price, fee: fee, brokerCumQuantity: brokerCumQuantity, tradeDate: tradeDate,
            transactTime: transactTime, receiverSequence: receiverSequence)
    }
}

/// Why a report cannot be applied. It is kept, and a person looks at it.
struct UnusableReport: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension ReportMeaning {
    /// Reads `report` for an order with these terms; it has to tell of the same instrument, side and account.
    init(_ report: BrokerExecutionReport, for terms: OrderTerms) throws(UnusableReport) {
        guard report.symbol == terms.instrument.text else { throw UnusableReport("another symbol") }
        guard report.side == WireSide(terms.side) else { throw UnusableReport("another side") }
        guard report.account == terms.account.text else { throw UnusableReport("another account") }
        let cumQuantity = try Self.quantity(report.cumQty, "cum_qty")
        switch report.execType {
        case .new: self = .state(.acknowledged(BrokerOrderID(rawValue: report.orderID)))
        case .trade, .tradeCorrect, .tradeCancel:
            self = .booking(try Self.execution(report, terms, cumQuantity))
        case .canceled: self = .state(.canceled(cumQuantity: cumQuantity ?? .zero))
        case .expired: self = .state(.expired(cumQuantity: cumQuantity ?? .zero))
        case .rejected: self = .state(.rejected("REJECTED_BY_BROKER"))
        case .replaced, .suspended, .restated:
            throw UnusableReport("exec_type \(report.execType) asks for what trading does not do")
        case .unspecified, .unrecognized: throw UnusableReport("unknown exec_type \(report.execType.rawValue)")
        }
    }

    private static func execution(
        _ report: BrokerExecutionReport, _ terms: OrderTerms, _ cumQuantity: Quantity?
    ) throws(UnusableReport) -> ReportedExecution {
        guard let id = BrokerExecutionID(rawValue: report.execID) else { throw UnusableReport("unusable exec_id") }
        guard let time = report.transactTime.flatMap({ UnixTime($0) }) else {
            throw UnusableReport("no transact_time")
        }
        let reference: BrokerExecutionID?
        let kind: StoredExecution.Kind
        switch report.execType {
        case .tradeCancel: (kind, reference) = (.bust, try Self.reference(report))
        case .tradeCorrect: (kind, reference) = (.correction, try Self.reference(report))
        default: (kind, reference) = (.trade, nil)
        }
        var quantity = Quantity.zero
        var price = Price.zero
        if kind != .bust {
            guard let told = try Self.quantity(report.lastQty, "last_qty"), told.isPositive else {
                throw UnusableReport("no last_qty")
            }
            guard let wire = report.lastPx, let last = try? Price(wire, field: "last_px"), last.isPositive else {
                throw UnusableReport("no last_px")
            }
            (quantity, price) = (told, last)
        }
        return ReportedExecution(
            execution: id, kind: kind, reference: reference, quantity: quantity, price: price,
            fee: try Self.fee(report.commission, terms.currency), brokerCumQuantity: cumQuantity,
            tradeDate: report.tradeDate, transactTime: time)
    }

    private static func reference(_ report: BrokerExecutionReport) throws(UnusableReport) -> BrokerExecutionID {
        guard let id = BrokerExecutionID(rawValue: report.execRefID) else { throw UnusableReport("no exec_ref_id") }
        guard id.text != report.execID else { throw UnusableReport("exec_ref_id is its own") }
        return id
    }

    private static func quantity(_ wire: WireDecimal?, _ field: String) throws(UnusableReport) -> Quantity? {
        guard let wire else { return nil }
        guard let quantity = try? Quantity(wire, field: field), !quantity.isNegative else {
            throw UnusableReport("\(field) out of range")
        }
        return quantity
    }

    private static func fee(_ wire: WireMoney?, _ currency: Currency) throws(UnusableReport) -> Money {
        guard let wire else { return .zero(currency) }
        guard wire.currency == currency.code else { throw UnusableReport("commission in another currency") }
        return Money(minorUnits: wire.minor, currency: currency)
    }
}
