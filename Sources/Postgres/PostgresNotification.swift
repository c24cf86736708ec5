/// What a listener hears. Any of them means "look": the content is a hint, since notifications are lost while the
/// connection is down, and the oldest are dropped when the reader is slow.
public enum PostgresNotification: Hashable, Sendable {
    /// The connection listens from now on; whatever happened before was not heard. Comes first, and after each reconnect.
    case listening
    /// A NOTIFY arrived. Source: PostgreSQL manual, "NOTIFY".
    case received(payload: String)
}
