import EventLoop
import Logging
import Postgres
import ServiceKit
import TestSupport
import Testing

private let environment = ServiceEnvironment(
    group: TestLoops.group, log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))

private let first = Migration(1, "create_a", "CREATE TABLE a (id int); INSERT INTO a VALUES (1);")
private let second = Migration(2, "fill_a", "INSERT INTO a VALUES (2); INSERT INTO a VALUES (3);")

private struct CountA: Statement {
    static let sql = "SELECT count(*) FROM a"
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}

@Test func stepsAreAppliedOnceInOrder() async throws {
    try await ScratchDatabase.withClient { client in
        try await Migrator.migrate(client, to: [first], environment: environment)
        try await Migrator.migrate(client, to: [first, second], environment: environment)
        try await Migrator.migrate(client, to: [first, second], environment: environment)
        #expect(try await client.queryOne(CountA()) == 3)
    }
}

@Test func manyStartsAtOnceApplyEachStepOnce() async throws {
    try await ScratchDatabase.withClient { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { try await Migrator.migrate(client, to: [first, second], environment: environment) }
            }
            try await group.waitForAll()
        }
        #expect(try await client.queryOne(CountA()) == 3)
    }
}

@Test func aChangedOrUnknownOrMisplacedStepStopsTheStart() async throws {
    try await ScratchDatabase.withClient { client in
        try await Migrator.migrate(client, to: [first, second], environment: environment)
        await #expect(throws: MigrationError.changed(version: 2, name: "fill_a")) {
            try await Migrator.migrate(
                client, to: [first, Migration(2, "fill_a", second.sql + " ")], environment: environment)
        }
        await #expect(throws: MigrationError.missing(version: 2, name: "fill_a")) {
            try await Migrator.migrate(client, to: [first], environment: environment)
        }
        await #expect(throws: MigrationError.outOfOrder(version: 2)) {
            try await Migrator.migrate(client, to: [second], environment: environment)
        }
    }
}

@Test func aFailedStepLeavesNothingAndSaysWhatToDo() async throws {
    try await ScratchDatabase.withClient { client in
        let broken = Migration(2, "break_a", "INSERT INTO a VALUES (2); SELECT 1 / 0;")
        do {
            try await Migrator.migrate(client, to: [first, broken], environment: environment)
            Issue.record("the step must fail")
        } catch let error as MigrationError {
            #expect("\(error)".contains("migration 2 (break_a) failed and was rolled back"))
        }
        #expect(try await client.queryOne(CountA()) == 1)
        try await Migrator.migrate(client, to: [first, second], environment: environment)
        #expect(try await client.queryOne(CountA()) == 3)
    }
}
