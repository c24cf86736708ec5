import Domain
import Postgres

// The column groups that several statements return, each read from its first column on.

/// The ledger holds what this version of the code does not know or cannot be: the schema and the code have parted.
struct UnreadableLedger: Error, CustomStringConvertible {
    let description: String
}

extension AccountState {
    /// id, customer_id, currency, status, balance, held, version. Nil when the id is NULL.
    static func decode(_ row: borrowing RowView, from first: Int) throws -> AccountState? {
        guard let id = try row.optionalString(first) else { return nil }
        let currency = try Currency(column: row.string(first + 2))
        return AccountState(
            id: try AccountID(id), customer: try CustomerID(row.string(first + 1)),
            balance: try Balance(
                balance: Money(minorUnits: try row.int64(first + 4), currency: currency),
                held: Money(minorUnits: try row.int64(first + 5), currency: currency)),
            version: try row.int64(first + 6), isOpen: try row.string(first + 3) == "OPEN")
    }

    static let columnCount = 7
}

extension RecordedOperation {
    /// key, outcome, kind, body_hash, account_id, currency, amount, reason. Nil when the key is NULL.
    static func decode(_ row: borrowing RowView, from first: Int) throws -> RecordedOperation? {
        guard let key = try row.optionalString(first) else { return nil }
        return RecordedOperation(
            key: try OperationKey(key),
            outcome: try OperationOutcome(name: row.string(first + 1), reason: row.optionalString(first + 7)),
            facts: try Facts.decode(row, from: first + 2))
    }

    static let columnCount = 8
}

extension RecordedOperation.Facts {
    fileprivate static func decode(_ row: borrowing RowView, from first: Int) throws -> RecordedOperation.Facts? {
        guard let kind = try row.optionalString(first) else { return nil }
        return RecordedOperation.Facts(
            kind: try OperationKind(column: kind), bodyHash: try row.string(first + 1),
            account: try AccountID(row.string(first + 2)),
            amount: Money(
                minorUnits: try row.int64(first + 4), currency: try Currency(column: row.string(first + 3))))
    }
}

extension OperationOutcome {
    fileprivate init(name: String, reason: String?) throws(UnreadableLedger) {
        switch (name, reason) {
        case ("APPLIED", nil): self = .applied
        case ("REFUSED", .some(let reason)): self = .refused(ReasonCode(rawValue: reason))
        case ("SEALED", nil): self = .sealed
        case ("REVERSED", nil): self = .reversed
        default: throw UnreadableLedger(description: "no operation ends in \(name) with reason \(reason ?? "none")")
        }
    }
}

extension PlacedHold {
    /// id, account_id, order_id, amount, captured, released, excess, state. Nil when the id is NULL.
    static func decode(_ row: borrowing RowView, from first: Int, _ currency: Currency) throws -> PlacedHold? {
        guard let id = try row.optionalString(first) else { return nil }
        func money(_ minorUnits: Int64) -> Money { Money(minorUnits: minorUnits, currency: currency) }
        let hold = Hold(
            id: try HoldID(id), amount: money(try row.int64(first + 3)), captured: money(try row.int64(first + 4)),
            released: money(try row.int64(first + 5)), isClosed: try row.string(first + 7) == "CLOSED")
        guard let hold else { throw UnreadableLedger(description: "hold \(id) does not add up") }
        return PlacedHold(
            account: try AccountID(row.string(first + 1)), order: try OrderID(row.string(first + 2)), hold: hold,
            excess: money(try row.int64(first + 6)))
    }
}

extension RawRepresentable where RawValue == String {
    init(column word: String) throws(UnreadableLedger) {
        guard let value = Self(rawValue: word) else {
            throw UnreadableLedger(description: "\(word) is no \(Self.self) that this version knows")
        }
        self = value
    }
}
