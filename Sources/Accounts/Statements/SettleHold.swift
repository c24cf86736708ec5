import Domain
import Postgres

/// Captures or releases part of a hold, if its account still has the expected version; else no row.
struct SettleHold: Statement {
    static let sql = String(decoding: PackageResources.settle_hold_sql, as: UTF8.self)
    let held: HeldAccount
    let settlement: Settlement
    let key: OperationKey
    let kind: OperationKind
    let bodyHash: String
    let purpose: String
    var parameters: [Parameter] {
        [
            .text(held.account.id.text), .text(held.hold.id.text), .int64(held.account.version),
            .text(settlement.isClosed ? "CLOSED" : "OPEN"), .int64(settlement.captured),
            .int64(settlement.excess), .int64(settlement.released),
            .text(LedgerAccount.brokerClearing.text), .text(key.text), .text(kind.rawValue), .text(bodyHash),
            .text(purpose),
        ]
    }

    struct Row: Sendable {
        let account: BalanceAfter
        let hold: PlacedHold
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        guard let hold = try PlacedHold.decode(row, from: 4, Currency(column: row.string(3))) else {
            throw UnreadableLedger(description: "a settled hold has no id")
        }
        return Row(account: try BalanceAfter.decode(row), hold: hold)
    }
}
