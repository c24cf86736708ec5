import Domain
import Postgres

/// Stores a refusal for ever. No row: the key has an outcome already.
struct RefuseOperation: Statement {
    static let sql = String(decoding: PackageResources.refuse_operation_sql, as: UTF8.self)
    let key: OperationKey
    let facts: RecordedOperation.Facts
    let reason: ReasonCode
    var parameters: [Parameter] {
        [
            .text(key.text), .text(facts.kind.rawValue), .text(facts.bodyHash), .text(facts.account.text),
            .text(facts.amount.currency.code), .int64(facts.amount.minorUnits), .text(reason.rawValue),
        ]
    }

    static func decode(_ row: borrowing RowView) throws -> String { try row.string(0) }
}
