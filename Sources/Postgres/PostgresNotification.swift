/// A message of NOTIFY. Source: PostgreSQL manual, "NOTIFY".
public struct PostgresNotification: Hashable, Sendable {
    public let channel: String
    public let payload: String
}
