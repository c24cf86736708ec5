import EventBus
import Postgres

/// Keeps an event that can have no effect, for a person.
struct InsertDeadLetter: Statement {
    static let sql = String(decoding: PackageResources.insert_dead_letter_sql, as: UTF8.self)
    let event: EventEnvelope
    /// At most 500 characters.
    let reason: String
    var parameters: [Parameter] {
        [
            .text(event.id), .text(event.topic), .text(event.key), .bytes(event.payload),
            .text(event.headers["traceparent"]), .text(reason),
        ]
    }
}
