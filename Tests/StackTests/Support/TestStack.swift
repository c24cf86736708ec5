import Contracts
import Domain
import EventLoop
import Foundation
import Limits
import Postgres
import RPC
import RPCCore
import TestSupport
import Testing

@testable import meridian

/// A whole stack for one test, in a folder of its own; ended and removed however the test ends.
final class TestStack: Sendable {
    /// Last closing price of AAPL in the stack's table is 223.02: an order above it fills, one far below rests.
    static let fillingPrice = Price(unscaled: 2_240_000)
    static let restingPrice = Price(unscaled: 1_500_000)

    let stack: Stack

    /// The repository's folder.
    static let home = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The program that was built together with the tests.
    static func program() throws -> String { try Program.built("meridian") }

    private init(_ stack: Stack) { self.stack = stack }

    static func run(
        settings: [ServiceName: [String: String]] = [:], _ body: (TestStack) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let stack = try Stack(
            folder: StackFolder(path: directory.path),
            options: Stack.Options(settings: settings, program: try program(), home: home))
        let test = TestStack(stack)
        do {
            try await stack.start { _ in }
            try await body(test)
        } catch {
            await test.end()
            throw error
        }
        await test.end()
    }

    private func end() async {
        await stack.stop()
    }

    // MARK: Ways in

    /// The one connection to a service with the operator's certificate.
    func channel(to service: ServiceName, control: Bool = false) throws -> any RPCChannel {
        try stack.channel(to: service, control: control)
    }

    var door: ChannelServiceClient { get throws { ChannelServiceClient(try channel(to: .channel)) } }

    func customer(_ name: String) throws -> Customer {
        Customer(name: name, door: try door, token: try stack.folder.token(for: name))
    }

    /// How the broker behaves from now on.
    func setBroker(_ behavior: BrokerBehavior, _ rules: [BrokerRule]) async throws {
        let control = BrokerControlServiceClient(try channel(to: .mockBroker, control: true))
        _ = try await control.setBehavior(BrokerSetBehaviorRequest(behavior: behavior))
        _ = try await control.setRules(BrokerSetRulesRequest(rules: rules))
    }

    /// Opens a won account and a dollar account for a customer.
    func openAccounts(of customer: Customer, won: Int64, cents: Int64) async throws {
        for (ledger, account, money) in [
            (ServiceName.accountKRW, customer.wonAccount, Money(minorUnits: won, currency: .krw)),
            (.accountFX, customer.dollarAccount, Money(minorUnits: cents, currency: .usd)),
        ] {
            _ = try await AccountServiceClient(try channel(to: ledger)).openAccount(
                AccountOpenAccountRequest(
                    accountID: account, customerID: customer.name, currency: money.currency.code,
                    openingBalance: money.isPositive ? WireMoney(money) : nil))
        }
    }

    // MARK: Books

    func books() async throws -> Books { try await Books.read { try channel(to: $0, control: $1) } }

    /// The books once every check passes, or as they are after `limit`.
    func booksAtRest(within limit: Duration = .seconds(20)) async throws -> Books {
        let end = ContinuousClock.now + limit
        while true {
            let books = try await books()
            if Auditor.check(books).allSatisfy(\.passed) || ContinuousClock.now > end { return books }
            try await pause()
        }
    }

    /// Between two looks at processes that tell nobody when they have come to rest.
    func pause() async throws { try await Task.sleep(for: .milliseconds(50)) }

    /// Asks the database of a service.
    func query<S: Statement>(_ statement: S, in service: ServiceName) async throws -> [S.Row] {
        let client = PostgresClient(
            PostgresConfiguration(
                host: stack.folder.runFolder, user: "postgres", database: try #require(service.databaseName)),
            group: stack.group)
        let answer: Result<[S.Row], any Error>
        do {
            answer = .success(try await client.query(statement))
        } catch {
            answer = .failure(error)
        }
        await client.shutDown()
        return try answer.get()
    }

    /// How many rows each table of each database has, by "service.table".
    func rowCounts() async throws -> [String: Int64] {
        var counts: [String: Int64] = [:]
        for service in Stack.services {
            guard service.databaseName != nil else { continue }
            let rows = try await query(RowCounts(), in: service)
            for (table, count) in rows { counts["\(service.rawValue).\(table)"] = count }
        }
        return counts
    }
}

/// The tables of a database with their numbers of rows.
private struct RowCounts: Statement {
    static let sql = """
        SELECT table_name::text,
               (xpath('/row/c/text()',
                      query_to_xml(format('SELECT count(*) AS c FROM %I.%I', table_schema, table_name),
                                   false, true, '')))[1]::text::bigint
        FROM information_schema.tables
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'
        """
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> (String, Int64) { (try row.string(0), try row.int64(1)) }
}
