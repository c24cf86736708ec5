import Domain
import Postgres

/// What an operation on a hold must know to be decided, of one instant.
struct ReadHold: Statement {
    static let sql = String(decoding: PackageResources.read_hold_sql, as: UTF8.self)
    let key: OperationKey
    let hold: HoldID
    /// The account to show when there is no such hold.
    var account: AccountID?
    var parameters: [Parameter] { [.text(key.text), .text(hold.text), .text(account?.text)] }

    struct Row: Sendable {
        let account: AccountState?
        let operation: RecordedOperation?
        let hold: PlacedHold?

        var held: HeldAccount? {
            guard let hold, let account else { return nil }
            return HeldAccount(hold: hold, account: account)
        }
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        let account = try AccountState.decode(row, from: 0)
        return Row(
            account: account,
            operation: try RecordedOperation.decode(row, from: AccountState.columnCount),
            hold: try account.flatMap {
                try PlacedHold.decode(
                    row, from: AccountState.columnCount + RecordedOperation.columnCount, $0.currency)
            })
    }
}
