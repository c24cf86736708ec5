internal import Contracts
internal import Domain
internal import Protobuf

/// What a client believes to be so, ready to be compared with the books.
struct ClientView: Sendable {
    private let account: AccountID?
    private let orders: [OrderKey: [WireBrokerOrder]]
    private let executions: [String: [BrokerExecutionReport]]
    private let positions: [PositionKey: DecimalText]

    private typealias WireBrokerOrder = Contracts.BrokerOrder

    /// - Throws: a refusal with the path of what cannot be read.
    init(_ request: BrokerDiffRequest) throws {
        let account: AccountID? =
            request.account.isEmpty ? nil : try .reading(request.account, "account", "ACCOUNT_INVALID")
        self.account = account
        var orders: [OrderKey: [WireBrokerOrder]] = [:]
        for (index, order) in request.orders.enumerated() {
            let path = "orders[\(index)]"
            let owner = try Self.owner(order.account, account, "\(path).account")
            let id: ClientOrderID = try .reading(
                order.clientOrderID, "\(path).client_order_id", "CLIENT_ORDER_ID_INVALID")
            orders[OrderKey(account: owner, clientOrder: id), default: []].append(order)
        }
        self.orders = orders
        var executions: [String: [BrokerExecutionReport]] = [:]
        for (index, report) in request.executions.enumerated() {
            let path = "executions[\(index)]"
            let id: BrokerExecutionID = try .reading(report.execID, "\(path).exec_id", "EXEC_ID_INVALID")
            executions[id.text, default: []].append(report)
        }
        self.executions = executions
        var positions: [PositionKey: DecimalText] = [:]
        for (index, position) in request.positions.enumerated() {
            let path = "positions[\(index)]"
            let key = PositionKey(
                account: try Self.owner(position.account, account, "\(path).account"),
                symbol: try .reading(position.symbol, "\(path).symbol", "SYMBOL_INVALID"))
            guard positions.updateValue(DecimalText(position.qty), forKey: key) == nil else {
                throw BrokerRefusal.invalidField(path: path, reason: "POSITION_DOUBLED", problem: "is there twice")
            }
        }
        self.positions = positions
    }

    private static func owner(
        _ text: String, _ account: AccountID?, _ path: String
    ) throws(BrokerRefusal) -> AccountID {
        if text.isEmpty, let account { return account }
        let owner: AccountID = try .reading(text, path, "ACCOUNT_INVALID")
        guard account == nil || owner == account else {
            throw .invalidField(path: path, reason: "ACCOUNT_INVALID", problem: "is not the account of the request")
        }
        return owner
    }

    /// In order of kind of thing and then of subject; the same for the same books.
    func differences(from book: borrowing BrokerBook) -> [BrokerDifference] {
        orderDifferences(book) + executionDifferences(book) + positionDifferences(book)
    }

    // MARK: Orders

    private func orderDifferences(_ book: borrowing BrokerBook) -> [BrokerDifference] {
        var known: [OrderKey: [BookOrder]] = [:]
        for order in book.orders where isWanted(order.content.key.account) {
            known[order.content.key, default: []].append(order)
        }
        let keys = Set(known.keys).union(orders.keys).sorted {
            ($0.account.text, $0.clientOrder.text) < ($1.account.text, $1.clientOrder.text)
        }
        return keys.flatMap { Self.differences($0.clientOrder.text, known[$0] ?? [], orders[$0] ?? []) }
    }

    /// Of the orders under one id: first those that also share an order id, then one by one.
    private static func differences(
        _ subject: String, _ known: [BookOrder], _ believed: [WireBrokerOrder]
    ) -> [BrokerDifference] {
        var known = known
        var unpaired: [WireBrokerOrder] = []
        var differences: [BrokerDifference] = []
        for order in believed {
            if let index = known.firstIndex(where: { $0.id.text == order.orderID }) {
                differences += compare(subject, known.remove(at: index), order)
            } else {
                unpaired.append(order)
            }
        }
        for (order, believed) in zip(known, unpaired) { differences += compare(subject, order, believed) }
        differences += known.dropFirst(unpaired.count).map {
            BrokerDifference(kind: .orderMissingAtClient, subject: subject, broker: $0.id.text)
        }
        differences += unpaired.dropFirst(known.count).map {
            BrokerDifference(kind: .orderMissingAtBroker, subject: subject, client: $0.orderID)
        }
        return differences
    }

    private static func compare(
        _ subject: String, _ known: BookOrder, _ believed: WireBrokerOrder
    ) -> [BrokerDifference] {
        func name(_ status: WireOrdStatus) -> String {
            WireOrdStatus.schema.name(of: status.rawValue) ?? "\(status.rawValue)"
        }
        return [
            difference(
                .orderDiffers, subject, "ord_status", name(WireOrdStatus(known.status)), name(believed.ordStatus)),
            difference(
                .orderDiffers, subject, "cum_qty", DecimalText(WireDecimal(known.filled)).text,
                DecimalText(believed.cumQty).text),
        ].compactMap(\.self)
    }

    // MARK: Executions

    private func executionDifferences(_ book: borrowing BrokerBook) -> [BrokerDifference] {
        var differences: [BrokerDifference] = []
        var unknown = executions
        for sequence in book.feed.indices.map({ $0 + 1 }) {
            guard isWanted(book.orders[book.feed[sequence - 1].order].content.key.account) else { continue }
            guard let report = book.report(sequence).report else { continue }
            let believed = unknown.removeValue(forKey: report.execID) ?? []
            if believed.count > 1 {
                differences.append(
                    BrokerDifference(
                        kind: .executionDoubled, subject: report.execID, broker: "1", client: "\(believed.count)"))
            }
            // Reports without shares are no executions: a client need not have them.
            if believed.isEmpty, report.lastQty != nil {
                differences.append(BrokerDifference(kind: .executionMissingAtClient, subject: report.execID))
            }
            // Copies that say the same differ once.
            for difference in believed.flatMap({ Self.compare(report, $0) }) where !differences.contains(difference) {
                differences.append(difference)
            }
        }
        return differences
            + unknown.keys.sorted().map { BrokerDifference(kind: .executionMissingAtBroker, subject: $0) }
    }

    private static func compare(
        _ known: BrokerExecutionReport, _ believed: BrokerExecutionReport
    ) -> [BrokerDifference] {
        [
            difference(
                .executionDiffers, known.execID, "last_qty", DecimalText(known.lastQty).text,
                DecimalText(believed.lastQty).text),
            difference(
                .executionDiffers, known.execID, "last_px", DecimalText(known.lastPx).text,
                DecimalText(believed.lastPx).text),
        ].compactMap(\.self)
    }

    // MARK: Positions

    private func positionDifferences(_ book: borrowing BrokerBook) -> [BrokerDifference] {
        let known = book.positions.filter { isWanted($0.key.account) }
        return Set(known.keys).union(positions.keys)
            .sorted { ($0.account.text, $0.symbol.text) < ($1.account.text, $1.symbol.text) }
            .compactMap { key in
                Self.difference(
                    .positionDiffers, "\(key.account)/\(key.symbol)", "qty",
                    DecimalText(known[key].map { WireDecimal($0) }).text, (positions[key] ?? DecimalText(nil)).text)
            }
    }

    private func isWanted(_ other: AccountID) -> Bool { account == nil || account == other }

    private static func difference(
        _ kind: BrokerDifferenceKind, _ subject: String, _ field: String, _ broker: String, _ client: String
    ) -> BrokerDifference? {
        guard broker != client else { return nil }
        return BrokerDifference(kind: kind, subject: subject, field: field, broker: broker, client: client)
    }
}

/// A number as people write it, whatever its scale on the wire: 1.5 and not 1.500. What is absent is 0.
struct DecimalText: Hashable, Sendable {
    let text: String

    init(_ wire: WireDecimal?) {
        guard let wire else {
            text = "0"
            return
        }
        guard (1...38).contains(wire.scale) else {
            text = wire.scale == 0 ? "\(wire.unscaled)" : "\(wire.unscaled)e\(-Int64(wire.scale))"
            return
        }
        var digits = String(wire.unscaled.magnitude)
        digits = String(repeating: "0", count: max(0, Int(wire.scale) + 1 - digits.utf8.count)) + digits
        let whole = digits.dropLast(Int(wire.scale))
        let fraction = digits.suffix(Int(wire.scale)).reversed().drop { $0 == "0" }.reversed()
        text = (wire.unscaled < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + String(fraction))
    }
}
