internal import Cryptography

/// One step of a schema: a file that is applied once, in its place, and never changed afterwards.
public struct Migration: Sendable, Hashable {
    /// Counts from 1 without gaps.
    public let version: Int32
    public let name: String
    public let sql: String

    public init(_ version: Int32, _ name: String, _ sql: String) {
        precondition(version >= 1, "migrations count from 1")
        self.version = version
        self.name = name
        self.sql = sql
    }

    /// The table of events on their way to the bus; see `Outbox`.
    public static func outbox(_ version: Int32) -> Migration {
        Migration(version, "create_outbox", String(decoding: PackageResources.outbox_sql, as: UTF8.self))
    }

    /// The table of events that took effect; see `Inbox`.
    public static func inbox(_ version: Int32) -> Migration {
        Migration(version, "create_inbox", String(decoding: PackageResources.inbox_sql, as: UTF8.self))
    }

    /// SHA-256 of the file.
    public var checksum: [UInt8] { SHA256.digest(Array(sql.utf8)) }
}

/// Why a schema cannot be brought to where the program needs it, and what to do.
public enum MigrationError: Error, Hashable, CustomStringConvertible {
    case outOfOrder(version: Int32)
    case changed(version: Int32, name: String)
    case missing(version: Int32, name: String)
    case failed(version: Int32, name: String, cause: String)

    public var description: String {
        switch self {
        case .outOfOrder(let version):
            "migration \(version) is not in its place: versions count from 1 without gaps; mend the list in the program"
        case .changed(let version, let name):
            "migration \(version) (\(name)) was applied with other content than this program has; put the file back as "
                + "it was and write the change as a new migration"
        case .missing(let version, let name):
            "the database has migration \(version) (\(name)), which this program does not know; run a newer program"
        case .failed(let version, let name, let cause):
            "migration \(version) (\(name)) failed and was rolled back, nothing of it remains: \(cause)"
        }
    }
}
