internal import Logging
public import Postgres

/// Brings a database to the schema that the program needs. Any number of processes may start at once: one applies each
/// step, the others wait for it and find it done.
public enum Migrator {
    /// - Throws: `MigrationError`, or `PostgresError` when the database cannot be reached.
    public static func migrate(
        _ postgres: PostgresClient, to migrations: [Migration], environment: ServiceEnvironment
    ) async throws {
        for (index, migration) in migrations.enumerated() where migration.version != Int32(index + 1) {
            throw MigrationError.outOfOrder(version: migration.version)
        }
        while let applied = try await applyNext(postgres, of: migrations) {
            environment.log.info(
                "schema.migrated",
                metadata: ["version": .stringConvertible(applied.version), "name": "\(applied.name)"])
        }
    }

    /// Applies the first step that is missing; nil when none is. The history is read after the lock is held.
    private static func applyNext(_ postgres: PostgresClient, of migrations: [Migration]) async throws -> Migration? {
        try await postgres.withTransaction { transaction in
            _ = try await transaction.query(MigrationLock())
            _ = try await transaction.execute(MigrationTable())
            let history = try await transaction.query(MigrationHistory())
            for (applied, known) in zip(history, migrations)
            where applied.version != known.version || applied.checksum != known.checksum {
                throw MigrationError.changed(version: applied.version, name: applied.name)
            }
            if history.count > migrations.count {
                let unknown = history[migrations.count]
                throw MigrationError.missing(version: unknown.version, name: unknown.name)
            }
            guard history.count < migrations.count else { return nil }
            let next = migrations[history.count]
            do {
                try await transaction.executeScript(next.sql)
            } catch let error as PostgresError where error.sqlState != nil {
                throw MigrationError.failed(version: next.version, name: next.name, cause: "\(error)")
            }
            _ = try await transaction.execute(
                RecordMigration(version: next.version, name: next.name, checksum: next.checksum))
            return next
        }
    }
}

private struct MigrationLock: Statement {
    static let sql = String(decoding: PackageResources.migration_lock_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws {}
}

private struct MigrationTable: Statement {
    static let sql = String(decoding: PackageResources.migration_table_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws {}
}

private struct MigrationHistory: Statement {
    struct Row {
        let version: Int32
        let name: String
        let checksum: [UInt8]
    }
    static let sql = String(decoding: PackageResources.migration_history_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(version: try row.int32(0), name: try row.string(1), checksum: try row.bytes(2))
    }
}

private struct RecordMigration: Statement {
    static let sql = String(decoding: PackageResources.migration_record_sql, as: UTF8.self)
    var version: Int32
    var name: String
    var checksum: [UInt8]
    var parameters: [Parameter] { [.int32(version), .text(name), .bytes(checksum)] }
    static func decode(_ row: borrowing RowView) throws {}
}
