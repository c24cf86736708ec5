internal import EventBus
internal import Postgres

/// Keeps a message that can never have an effect.
struct InsertDeadLetter: Statement {
    static let sql = String(decoding: PackageResources.insert_dead_letter_sql, as: UTF8.self)
    var event: EventEnvelope
    var reason: String
    var parameters: [Parameter] {
        [
            .text(event.id), .text(event.topic), .text(event.key), .bytes(event.payload),
            .text(event.headers["traceparent"] ?? ""), .text(reason),
        ]
    }
}
